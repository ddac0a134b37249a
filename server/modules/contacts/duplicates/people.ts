/** Many people in columns of numbers, ready to be compared: a row costs a hundred bytes and the strings that nobody else has. */
import { compact, foldEmail, foldText, mailboxOf } from './fold.ts'
import { birthDigits } from './birth-date.ts'
import type { Person } from './person.ts'
import { grown, Terms, type TermClass } from './terms.ts'

export const columns = [
  'given',
  'family',
  /** Both names in one, in either order: some people write all of it into one field. */
  'whole',
  'turned',
  /** The address that is unique in the workspace, and another that is known. */
  'email',
  'email2',
  'phone',
  'phone2',
  'company',
  'birth',
  'street',
  'number',
  'unit',
  'city',
  'postcode',
  'region',
  'idKind',
  'id',
] as const
export type Column = (typeof columns)[number]

export class People {
  readonly terms = new Terms()
  readonly columns = Object.fromEntries(columns.map((name) => [name, new Int32Array(1024)])) as Record<
    Column,
    Int32Array
  >
  size = 0
  #capacity = 1024

  /** Answers the row. */
  add(person: Person): number {
    if (this.size === this.#capacity) {
      this.#capacity *= 2
      for (const name of columns) this.columns[name] = grown(this.columns[name], this.#capacity)
    }
    const row = this.size++
    const given = compact(foldText(person.given))
    const family = compact(foldText(person.family))
    const [first, ...others] = person.emails.map(mailbox)
    const phones = distinct(person.phones.map(phoneDigits))
    this.#set(row, 'given', 'n', given)
    this.#set(row, 'family', 'n', family)
    this.#set(row, 'whole', 'h', given + family)
    this.#set(row, 'turned', 'h', family + given)
    this.#set(row, 'email', 'e', first)
    this.#set(
      row,
      'email2',
      'e',
      others.find((other) => other && other !== first),
    )
    this.#set(row, 'phone', 'p', phones[0])
    this.#set(row, 'phone2', 'p', phones[1])
    this.#set(row, 'company', 'o', companyName(person.company))
    this.#set(row, 'birth', 'b', birthDigits(person.birthDate))
    this.#set(row, 'street', 's', foldText(person.street))
    this.#set(row, 'number', 'u', compact(foldText(person.streetNumber)))
    this.#set(row, 'unit', 's', foldText(person.unit))
    this.#set(row, 'city', 'c', compact(foldText(person.city)))
    this.#set(row, 'postcode', 'z', compact(foldText(person.postcode)))
    this.#set(row, 'region', 'r', compact(foldText(person.region)))
    this.#set(row, 'idKind', 'h', person.identifier?.kind)
    this.#set(row, 'id', 'i', compact(foldText(person.identifier?.value ?? '')))
    return row
  }

  #set(row: number, column: Column, kind: TermClass, text: string | undefined): void {
    const term = text ? this.terms.intern(kind, text.slice(0, textMax)) : 0
    this.columns[column][row] = term
    this.terms.counts[term]!++
  }
}

const textMax = 120

function mailbox(email: string): string {
  const folded = foldEmail(email)
  return folded ? mailboxOf(folded) : ''
}

function distinct(texts: string[]): string[] {
  const present = texts.filter(Boolean)
  return present.length < 2 ? present : [...new Set(present)]
}

/** Digits alone: of a number in E.164 with its country code. Short ones are extensions, and say nothing. */
function phoneDigits(phone: string): string {
  const digits = phone.replaceAll(/\D/g, '')
  return digits.length >= 6 ? digits : ''
}

const forms =
  /\b(inc|incorporated|ltd|limited|llc|llp|plc|corp|corporation|co|company|gmbh|ag|kg|ug|sa|sas|sasu|sarl|eurl|srl|spa|bv|nv|ab|as|oy|pfa|snc)\b/g

/** Without its legal form, which people leave out as they like; unless nothing else is there. */
function companyName(company: string): string {
  if (!company) return ''
  const folded = foldText(company)
  return compact(folded.replaceAll(forms, '').trim()) || compact(folded)
}
