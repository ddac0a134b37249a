/**
 * vCards (2.1, 3 and 4) as records with named columns. The most preferred address and number are the contact's; the
 * others, and everything that has no column, keep a place in columns of their own, so that nothing is dropped unseen.
 */
import { components, readProperties, unescape, type Property } from './vcard-lines.ts'
import { keptLength, type FileRecord, type Place, type Splitter } from './record.ts'

/** Photos lie inside of cards. */
export const cardLengthMax = 8 * 1024 * 1024

/** Always there, because a card further down may have what those at the beginning lack. */
const columns = {
  Email: (card: Property[]) => preferred(card, 'EMAIL')[0] ?? '',
  'Full name': (card: Property[]) => textOf(card, 'FN'),
  'First name': (card: Property[]) => nameOf(card, [1, 2]),
  'Last name': (card: Property[]) => nameOf(card, [0]),
  Company: (card: Property[]) => structured(card, 'ORG')[0] ?? '',
  'Job title': (card: Property[]) => textOf(card, 'TITLE') || textOf(card, 'ROLE'),
  Phone: (card: Property[]) => phones(card)[0] ?? '',
  'Other emails': (card: Property[]) => preferred(card, 'EMAIL').slice(1).join(', '),
  'Other phones': (card: Property[]) => phones(card).slice(1).join(', '),
  Categories: (card: Property[]) => listOf(card, 'CATEGORIES').join(', '),
  Notes: (card: Property[]) => allOf(card, 'NOTE').join('\n'),
  Birthday: (card: Property[]) => dayOf(textOf(card, 'BDAY')),
  Address: (card: Property[]) => allAddresses(card).join('\n'),
  Website: (card: Property[]) => allOf(card, 'URL').join(', '),
  Language: (card: Property[]) => preferred(card, 'LANG')[0] ?? '',
  Gender: (card: Property[]) => (structured(card, 'GENDER')[0] ?? '') || textOf(card, 'X-GENDER'),
  'Time zone': (card: Property[]) => textOf(card, 'TZ').replace(/^[+-]?\d.*$/, ''),
  'Photo URL': (card: Property[]) => allOf(card, 'PHOTO').find((value) => /^https?:/.test(value)) ?? '',
  'Last modified': (card: Property[]) => timeOf(textOf(card, 'REV')),
} as const

/** What each column is for; the others are kept as custom fields. */
export const cardTargets: Record<string, string> = {
  Email: 'email',
  'Full name': 'full_name',
  'First name': 'first_name',
  'Last name': 'last_name',
  Company: 'company',
  'Job title': 'job_title',
  Phone: 'phone',
  Categories: 'tags',
  Notes: 'notes',
  Language: 'language',
  Gender: 'gender',
  'Time zone': 'timezone',
  'Photo URL': 'avatar_url',
  'Last modified': 'updated_at',
}

/** Those with a column of their own, and those that say nothing of the person. */
const handled = new Set(
  (
    'BEGIN END VERSION PRODID UID EMAIL FN N ORG TITLE ROLE TEL CATEGORIES NOTE BDAY ADR LABEL URL LANG GENDER X-GENDER ' +
    'TZ PHOTO LOGO SOUND KEY REV SORT-STRING X-ABLABEL X-ABADR CLIENTPIDMAP MAILER SOURCE NAME PROFILE CLASS KIND XML'
  ).split(' '),
)
const otherDetails = 'Other details'

/** The header that the cards at the beginning call for. */
export function cardHeader(records: Property[][]): string[] {
  const own = new Set(records.flat().flatMap(({ name }) => (handled.has(name) ? [] : [name])))
  return [...Object.keys(columns), ...[...own].slice(0, 100), otherDetails]
}

export function createCardSplitter(header: readonly string[], start: Place = { offset: 0, line: 1 }): Splitter {
  return createBlockSplitter(start, (text, at) => {
    const card = readProperties(text)
    return { ...at, cells: header.map((column) => cellOf(card, column, header)), problem: null }
  })
}

/** The properties of the cards, for finding the header. */
export function readCards(text: string): Property[][] {
  const cards: Property[][] = []
  const splitter = createBlockSplitter({ offset: 0, line: 1 }, (card, at) => {
    cards.push(readProperties(card))
    return { ...at, cells: ['card'], problem: null }
  })
  splitter.read(text, true)
  return cards
}

function cellOf(card: Property[], column: string, header: readonly string[]): string {
  if (column in columns) return columns[column as keyof typeof columns](card)
  if (column !== otherDetails) return allOf(card, column).join('\n')
  return card
    .filter(({ name }) => !handled.has(name) && !header.includes(name))
    .map(({ name, value }) => `${name}: ${unescape(value)}`)
    .join('\n')
    .slice(0, 10_000)
}

/** From BEGIN to END; text between cards is nothing, and a card that never ends is one unreadable record. */
function createBlockSplitter(
  start: Place,
  make: (text: string, at: Pick<FileRecord, 'line' | 'next'>) => FileRecord,
): Splitter {
  let text = ''
  let base = start.offset
  let line = start.line

  function read(chunk: string, isLast: boolean): FileRecord[] {
    text += chunk
    const records: FileRecord[] = []
    let at = 0
    const advance = (to: number): Place => {
      line += linesIn(text, at, to)
      at = to
      return { offset: base + at, line }
    }
    for (;;) {
      const begin = indexOf(/^[ \t]*BEGIN:VCARD[ \t]*$/gim, text, at)
      if (!begin) break
      advance(begin.index)
      const began = line
      const end = indexOf(/^[ \t]*END:VCARD[ \t]*$\n?/gim, text, at)
      const again = indexOf(/^[ \t]*BEGIN:VCARD[ \t]*$/gim, text, at + begin.length)
      // A card begins inside of another: the first was never finished.
      const cut = again && (!end || again.index < end.index) ? again.index : null
      if (cut === null && !end && !isLast && text.length - at <= cardLengthMax) break
      if (cut === null && end && !isLast && end.index + end.length >= text.length) break
      const stop = cut ?? (end ? end.index + end.length : text.length)
      const content = text.slice(at, stop)
      const next = advance(stop)
      const isWhole = cut === null && end !== null && content.length <= cardLengthMax
      records.push(
        isWhole
          ? make(content, { line: began, next })
          : { cells: [content.slice(0, keptLength)], line: began, next, problem: 'unreadable' },
      )
    }
    // What stands before the next BEGIN can be forgotten, but for a line that may still become one.
    if (!indexOf(/^[ \t]*BEGIN:VCARD/gim, text, at))
      advance(isLast ? text.length : Math.max(at, text.lastIndexOf('\n') + 1))
    text = text.slice(at)
    base += at
    return records
  }

  return { read }
}

function indexOf(pattern: RegExp, text: string, from: number): { index: number; length: number } | null {
  pattern.lastIndex = from
  const found = pattern.exec(text)
  return found && { index: found.index, length: found[0].length }
}

function linesIn(text: string, from: number, to: number): number {
  let count = 0
  for (let at = text.indexOf('\n', from); at >= 0 && at < to; at = text.indexOf('\n', at + 1)) count++
  return count
}

function allOf(card: Property[], name: string): string[] {
  return card.filter((property) => property.name === name).flatMap(({ value }) => unescape(value) || [])
}

function textOf(card: Property[], name: string): string {
  return allOf(card, name)[0] ?? ''
}

function structured(card: Property[], name: string): string[] {
  const found = card.find((property) => property.name === name)
  return found ? components(found.value, ';') : []
}

function listOf(card: Property[], name: string): string[] {
  const values = card.filter((property) => property.name === name).flatMap(({ value }) => components(value, ','))
  return [...new Set(values.filter(Boolean))]
}

/** In the order of preference, each once. */
function preferred(card: Property[], name: string): string[] {
  const found = card.filter((property) => property.name === name).toSorted((a, b) => a.preference - b.preference)
  return [...new Set(found.flatMap(({ value }) => unescape(value).replace(/^mailto:/i, '') || []))]
}

/** Mobile numbers before others where none is preferred; faxes and pagers last. */
function phones(card: Property[]): string[] {
  const rank = ({ preference, types }: Property): number => {
    if (types.some((type) => type === 'fax' || type === 'pager')) return 300
    if (preference < 100) return preference
    return types.includes('cell') || types.includes('iphone') ? 150 : 200
  }
  const found = card.filter(({ name }) => name === 'TEL').toSorted((a, b) => rank(a) - rank(b))
  return [...new Set(found.flatMap(({ value }) => unescape(value).replace(/^tel:/i, '').replace(/;.*$/, '') || []))]
}

/** N is family; given; middle; prefix; suffix. */
function nameOf(card: Property[], parts: number[]): string {
  const name = structured(card, 'N')
  return parts
    .map((part) => name[part] ?? '')
    .filter(Boolean)
    .join(' ')
}

function allAddresses(card: Property[]): string[] {
  return card
    .filter(({ name }) => name === 'ADR')
    .map(({ value }) => components(value, ';').filter(Boolean).join(', '))
    .filter(Boolean)
}

/** 19800331 and 1980-03-31; a day without a year stays as it is written. */
function dayOf(text: string): string {
  const compact = /^(\d{4})(\d\d)(\d\d)/.exec(text)
  if (compact) return `${compact[1]}-${compact[2]}-${compact[3]}`
  return /^\d{4}-\d\d-\d\d/.test(text) ? text.slice(0, 10) : text
}

function timeOf(text: string): string {
  const compact = /^(\d{4})-?(\d\d)-?(\d\d)(?:T(\d\d):?(\d\d):?(\d\d))?/.exec(text)
  if (!compact) return ''
  const [, year, month, day, hour = '00', minute = '00', second = '00'] = compact
  return `${year}-${month}-${day}T${hour}:${minute}:${second}Z`
}
