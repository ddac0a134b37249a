/** Believable people in any number, the same ones for the same seed: for benchmarks. */
import { createWriteStream } from 'node:fs'
import { once } from 'node:events'

/** Mulberry32: small, fast, and good enough for names. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

const firstNames = (
  'Ana Maria Élodie Ștefan Ion Andrei Camille Léa Hugo Chloé Louis Emma Jules Zoé Mihai Ioana Radu Elena Vlad Irina ' +
  'James Olivia Jack Amelia Harry Isla George Ava Jürgen Sabine Klaus Heike Lukas Sofía Mateo Lucía Diego Valeria Søren'
).split(' ')
const syllables =
  'ba be bo bu ca ce co da de du fa fi ga go la le li lo ma me mi mo na ne ni no pa pe po ra re ri ro sa se si so ta te ti to va ve vi'.split(
    ' ',
  )
const titles =
  'Manager,Chef,Director,Assistant,Engineer,Waiter,Owner,Accountant,Sales,Marketing lead,Buyer,Teacher'.split(',')
const domains =
  'example.com,mail.example,societe.example,firma.example,empresa.example,gmx.example,office.example'.split(',')
const zones = 'Europe/Paris,Europe/Bucharest,Europe/London,Europe/Berlin,Europe/Madrid,America/New_York'.split(',')
const words =
  'prefers mornings window seat allergic to nuts regular guest met at the fair asks for an invoice speaks French likes wine'.split(
    ' ',
  )

export const header = 'email,first_name,last_name,company,job_title,phone,gender,language,timezone,source,tags,notes'

export interface PeopleOptions {
  rows: number
  seed: number
  /** Shares of rows, such as 0.03. */
  dirty: number
  duplicates: number
}

/** One line of CSV per person, without its end. A duplicate repeats the address of an earlier row. */
export function* people({ rows, seed, dirty, duplicates }: PeopleOptions): Generator<string> {
  const random = seeded(seed)
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)]!
  const word = (length: number): string => Array.from({ length }, () => pick(syllables)).join('')
  const capital = (text: string): string => text[0]!.toUpperCase() + text.slice(1)
  const emailOf = (index: number): string =>
    `person.${seed}.${index}.${(index * 7919) % 1000}@${domains[index % domains.length]}`
  for (let index = 0; index < rows; index++) {
    const fate = random()
    const repeated = fate >= dirty && fate < dirty + duplicates && index > 0
    let email = emailOf(repeated ? Math.floor(random() * index) : index)
    let language = pick(['fr', 'en', 'ro', 'de', 'es'])
    const phone = `+336${String(10_000_000 + Math.floor(random() * 89_999_999)).slice(0, 8)}`
    if (fate < dirty) {
      if (fate < dirty / 3) email = ''
      else if (fate < (dirty * 2) / 3) email = email.replace('@', ' at ')
      else language = 'gibberish!'
    }
    const company = random() < 0.7 ? `${capital(word(3))} & Co` : ''
    const tags =
      random() < 0.6
        ? `"${pick(['vip', 'regular', 'new', 'press'])}, ${pick(['paris', 'lyon', 'cluj', 'berlin'])}"`
        : pick(['vip', 'regular', ''])
    const notes =
      random() < 0.2 ? `"${Array.from({ length: 6 }, () => pick(words)).join(' ')}, ""${pick(words)}"""` : ''
    yield [
      email,
      pick(firstNames),
      capital(word(3)),
      company,
      pick(titles),
      phone,
      pick(['f', 'm', '']),
      language,
      pick(zones),
      pick(['web', 'shop', 'fair']),
      tags,
      notes,
    ].join(',')
  }
}

export async function writePeople(path: string, options: PeopleOptions): Promise<void> {
  const file = createWriteStream(path)
  let piece = `${header}\n`
  for (const line of people(options)) {
    piece += `${line}\n`
    if (piece.length < 65_536) continue
    if (!file.write(piece)) await once(file, 'drain')
    piece = ''
  }
  file.end(piece)
  await once(file, 'finish')
}
