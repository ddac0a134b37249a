/**
 * A workspace in which a tenth of the records are somebody's second one, corrupted as FEBRL's generator does it: slips of
 * the keyboard, letters that changed places, values that are missing, names turned round or shortened, another address.
 * The same ones for the same seed.
 */
import { seeded } from './people.ts'

export interface Double {
  id: string
  /** Which person it is: the truth that a search for duplicates should come to. */
  person: number
  email: string
  firstName: string
  lastName: string
  phone: string | null
  company: string | null
  customFields: Record<string, string>
}

interface Known {
  first: string
  last: string
  phone: string
  company: string
  birth: string
  street: string
  number: string
  city: string
  postcode: string
  local: string
}

const given =
  'maria ana elena ioana andrei mihai ion stefan alexandru cristina camille lea hugo chloe louis emma jules zoe manon lucas nathan james olivia jack amelia harry isla george ava thomas william robert richard katherine elizabeth jurgen sabine klaus heike lukas anna sofia mateo lucia diego valeria soren lars ingrid pavel olga dimitri nadia yasmin omar fatima hassan giulia marco chiara paolo'.split(
    ' ',
  )
const shortened: Record<string, string> = {
  alexandru: 'alex',
  james: 'jim',
  william: 'bill',
  robert: 'bob',
  richard: 'dick',
  katherine: 'kate',
  elizabeth: 'liz',
  thomas: 'tom',
}
const syllables =
  'ba be bo bra bu ca ce chi co da de do dra du fa fi fo fra ga ge go gri ha he ho hu ja jo ka ke ko la le li lo lu ma me mi mo mu na ne ni no pa pe po pri ra re ri ro ru sa se si so sta ta te ti to tra tu va ve vi vo wa za zo'.split(
    ' ',
  )
const endings = ['', 'n', 's', 'scu', 'r', 'ski', 'll', 'u']
const domains = 'mail.example post.example firma.example office.example home.example'.split(' ')

export function* doubles(count: number, share: number, seed: number): Generator<Double> {
  const random = seeded(seed)
  const whole = (below: number): number => Math.floor(random() * below)
  /** Some values are frequent and most are rare, as with names of people and towns. */
  const skewed = (below: number): number => Math.floor(below * random() ** 2)
  const word = (index: number, length: number): string => {
    let text = ''
    for (let left = (index * 2_654_435_761) % 4_294_967_296, at = 0; at < length; at++) {
      text += syllables[left % syllables.length]!
      left = Math.floor(left / syllables.length)
    }
    return text + endings[index % endings.length]!
  }
  const slip = (text: string): string => {
    if (text.length < 2) return text
    const at = whole(text.length)
    const letter = /\d/.test(text[at]!) ? String(whole(10)) : 'abcdefghijklmnopqrstuvwxyz'[whole(26)]!
    switch (whole(4)) {
      case 0:
        return text.slice(0, at) + letter + text.slice(at)
      case 1:
        return text.slice(0, at) + text.slice(at + 1)
      case 2:
        return text.slice(0, at) + letter + text.slice(at + 1)
      default:
        return text.slice(0, at) + (text[at + 1] ?? '') + text[at]! + text.slice(at + 2)
    }
  }
  const originals = Math.ceil(count * (1 - share))
  const kept: Known[] = []
  const make = (): Known => {
    const first = given[skewed(given.length)]! + (random() < 0.3 ? ` ${word(skewed(300), 1)}` : '')
    const last = word(skewed(150_000), 2 + whole(2))
    const town = skewed(4_000)
    const birth = new Date(Date.UTC(1940, 0, 1) + whole(24_000) * 86_400_000).toISOString().slice(0, 10)
    return {
      first,
      last,
      phone: random() < 0.6 ? `+336${String(whole(100_000_000)).padStart(8, '0')}` : '',
      company: random() < 0.3 ? `${word(skewed(60_000), 3)} sarl` : '',
      birth: random() < 0.5 ? birth : '',
      street: random() < 0.4 ? `rue ${word(skewed(20_000), 3)}` : '',
      number: String(1 + whole(200)),
      city: random() < 0.7 ? word(town, 3) : '',
      postcode: random() < 0.6 ? String(10_000 + town * 7) : '',
      local: random() < 0.7 ? `${first.replace(' ', '')}.${last}` : word(whole(2_000_000), 4),
    }
  }
  const corrupt = (one: Known): Known => {
    const person = { ...one }
    for (let errors = 1 + whole(3); errors > 0; errors--) {
      switch (whole(9)) {
        case 0:
          person.first = shortened[person.first] ?? (random() < 0.3 ? person.first[0]! : slip(person.first))
          break
        case 1:
        case 2:
          person.last = slip(person.last)
          break
        case 3:
          ;[person.first, person.last] = [person.last, person.first]
          break
        case 4:
          person.phone = random() < 0.5 ? '' : person.phone && slip(person.phone)
          break
        case 5:
          person.birth = random() < 0.5 ? '' : person.birth && slip(person.birth)
          break
        case 6:
          person.street = slip(person.street)
          break
        case 7:
          person.postcode = person.city = ''
          break
        default:
          person.company = ''
      }
    }
    return person
  }
  for (let index = 0; index < count; index++) {
    const isDouble = index >= originals
    const person = isDouble ? whole(originals) : index
    if (!isDouble) kept.push(make())
    const shown = isDouble ? corrupt(kept[person]!) : kept[person]!
    // Addresses are unique in a workspace; a second record has another one, often of the same name.
    const local = isDouble && random() < 0.5 ? word(whole(2_000_000), 4) : shown.local
    const custom: [string, string][] = [
      ['birth_date', shown.birth],
      ['address', shown.street],
      ['street_number', shown.street && shown.number],
      ['city', shown.city],
      ['postcode', shown.postcode],
    ]
    yield {
      id: uuid(random),
      person,
      email: `${local}${random() < 0.3 ? index : `.${index.toString(36)}`}@${domains[whole(domains.length)]!}`,
      firstName: shown.first,
      lastName: shown.last,
      phone: shown.phone || null,
      company: shown.company || null,
      customFields: Object.fromEntries(custom.filter(([, value]) => value)),
    }
  }
}

/** Not in the order in which they were made: nobody's second record stands beside the first. */
function uuid(random: () => number): string {
  const hex = Array.from({ length: 4 }, () =>
    Math.floor(random() * 2 ** 32)
      .toString(16)
      .padStart(8, '0'),
  ).join('')
  return hex.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12})$/, '$1-$2-7$3-8$4-$5')
}
