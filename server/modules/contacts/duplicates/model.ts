/**
 * How sure we are that two records are one person.
 *
 * The model of Fellegi and Sunter ("A Theory for Record Linkage", 1969): each field is compared on a few levels, and each
 * level has a weight, log2(m / u): how much more often it is seen between two records of one person (m) than between
 * records of two people (u). Weights add up; with the odds that any two records are one person they give a probability.
 * A field that one of the two lacks says nothing. Where values agree, u is the frequency of that very value among the
 * people compared (Winkler 1989), so a rare family name says more than a frequent one.
 *
 * compare(a, b) equals compare(b, a).
 */
import { isTurned, roughDay, yearOf } from './birth-date.ts'
import { isNamed, isPart, isShared, onlyDigitsDiffer, sameCodes } from './codes.ts'
import { areNicknames } from './nicknames.ts'
import type { People } from './people.ts'
import { couldReach, edits, gramDice, jaroWinkler } from './similarity.ts'
import * as weights from './weights.ts'
import type { Agreement, NameWeights } from './weights.ts'

export const fields = [
  'first_name',
  'last_name',
  'email',
  'phone',
  'company',
  'birth_date',
  'address',
  'city',
  'postcode',
  'region',
  'identifier',
] as const
export type Field = (typeof fields)[number]
const place = Object.fromEntries(fields.map((field, at) => [field, at])) as Record<Field, number>

/** From nothing to say to equal; `related` is a short form, a part of a name, an address with the same beginning. */
export const levels = ['missing', 'different', 'similar', 'related', 'near', 'exact'] as const
export type Level = (typeof levels)[number]
const [missing, different, similar, related, near, exact] = [0, 1, 2, 3, 4, 5]

/** Of a pair: by place in `fields`. */
export interface Comparison {
  total: number
  level: Uint8Array
  weight: Float64Array
}

export class Model {
  readonly people: People
  readonly out: Comparison
  /** log2 of the odds before anything is compared. */
  readonly prior: number
  /** log2(1 / frequency) by term. */
  readonly #rarity: Float32Array
  /** Of the comparison made last; the methods below answer its weight. */
  #level = missing

  /** `population`: how many people the terms were counted over; they need not all be here. */
  constructor(people: People, population: number) {
    this.people = people
    this.out = { total: 0, level: new Uint8Array(fields.length), weight: new Float64Array(fields.length) }
    this.prior = -Math.log2(Math.max(population, weights.peopleLeast))
    const { terms } = people
    this.#rarity = new Float32Array(terms.size)
    for (let term = 1; term < terms.size; term++) {
      const share = weights.expectedShare[terms.kind(term)] ?? 0.001
      const seen = terms.counts[term]! + share * weights.expectedPeople
      this.#rarity[term] = -Math.log2(Math.min(1, seen / (population + weights.expectedPeople)))
    }
  }

  probability(total: number): number {
    return 1 / (1 + 2 ** -(total + this.prior))
  }

  /**
   * Fills `out`, which the next call overwrites. A pair that cannot reach `least` any more is left at once, with a total
   * below it: most pairs of a block are two people, and that shows by a field or two.
   */
  compare(a: number, b: number, least = Number.NEGATIVE_INFINITY): Comparison {
    const { out } = this
    const { columns: c } = this.people
    out.level.fill(missing)
    out.weight.fill(0)
    const birth = c.birth[a] && c.birth[b] ? this.#boundOf(c.birth[a], c.birth[b], weights.birthDate) : 0
    const name = this.#namesAtMost(a, b)
    const id = c.id[a] && c.id[b] ? weights.identifier.exact : 0
    const phone = c.phone[a] && c.phone[b] ? weights.phone.exact : 0
    const company = c.company[a] && c.company[b] ? this.#boundOf(c.company[a], c.company[b], weights.company) : 0
    const email = this.#emailsAtMost(a, b)
    const home = this.#householdAtMost(a, b)
    let bound = birth + name + id + phone + company + email + home
    // The cheapest first, and those that tell most.
    if (bound >= least && birth) bound += this.#say(place.birth_date, this.#birth(a, b)) - birth
    if (bound >= least && id) bound += this.#say(place.identifier, this.#identifier(a, b)) - id
    if (bound >= least && phone) bound += this.#phones(a, b) - phone
    if (bound >= least) bound += this.#names(a, b) - name
    if (bound >= least && company)
      bound += this.#say(place.company, this.#part(c.company, a, b, weights.company)) - company
    if (bound >= least) bound += this.#household(a, b) - home
    if (bound >= least && email) bound += this.#emails(a, b) - email
    out.total = bound
    return out
  }

  /** Whether the two have a telephone number in common that at most so many people have. */
  sharesPhone(a: number, b: number, sharersMost: number): boolean {
    const { phone, phone2 } = this.people.columns
    if (!phone[a] || !phone[b]) return false
    const { counts } = this.people.terms
    for (const number of [phone[a], phone2[a]!]) {
      if (number && (number === phone[b] || number === phone2[b]) && counts[number]! <= sharersMost) return true
    }
    return false
  }

  #agree(term: number, field: { m: number; most: number; least: number }): number {
    return Math.min(field.most, Math.max(field.least, this.#rarity[term]! + Math.log2(field.m)))
  }

  #boundOf(a: number, b: number, field: { m: number; most: number; least: number; near: number }): number {
    return a === b ? this.#agree(a, field) : field.near
  }

  #say(field: number, weight: number, level = this.#level): number {
    this.out.weight[field] = weight
    this.out.level[field] = level
    return weight
  }

  #emailsAtMost(a: number, b: number): number {
    const { email, email2 } = this.people.columns
    if (!(email[a] || email2[a]) || !(email[b] || email2[b])) return 0
    return shares(a, b, email, email2) ? weights.email.exact : weights.email.near
  }

  #householdAtMost(a: number, b: number): number {
    const { columns: c } = this.people
    const town = c.city[a] && c.city[b] ? this.#boundOf(c.city[a], c.city[b], weights.city) : 0
    const post = c.postcode[a] && c.postcode[b] ? this.#boundOf(c.postcode[a], c.postcode[b], weights.postcode) : 0
    const land = c.region[a] && c.region[b] ? this.#boundOf(c.region[a], c.region[b], weights.region) : 0
    let most = Math.min(town + post + land, Math.max(town, post, land) + weights.localityMore)
    if (c.street[a] && c.street[b]) most += this.#boundOf(c.street[a], c.street[b], weights.street)
    if (c.number[a] && c.number[b]) most += this.#boundOf(c.number[a], c.number[b], weights.streetNumber)
    if (c.unit[a] && c.unit[b]) most += this.#boundOf(c.unit[a], c.unit[b], weights.unit)
    return Math.min(most, weights.householdMost)
  }

  #namesAtMost(a: number, b: number): number {
    const { given, family, whole, turned } = this.people.columns
    const [givenA, givenB, familyA, familyB] = [given[a]!, given[b]!, family[a]!, family[b]!]
    let straight = 0
    if (givenA && givenB) straight += this.#boundOf(givenA, givenB, weights.firstName)
    if (familyA && familyB) straight += this.#boundOf(familyA, familyB, weights.lastName)
    let crossed = weights.crossedNames
    if (givenA && familyB) crossed += this.#boundOf(givenA, familyB, weights.firstName)
    if (familyA && givenB) crossed += this.#boundOf(familyA, givenB, weights.firstName)
    const oneField = whole[a] && (whole[a] === whole[b] || whole[a] === turned[b] || turned[a] === whole[b])
    return oneField ? weights.firstName.most + weights.lastName.most : Math.max(straight, crossed)
  }

  #names(a: number, b: number): number {
    const { given, family, whole, turned } = this.people.columns
    const first = this.#name(given[a]!, given[b]!, weights.firstName)
    const firstLevel = this.#level
    const last = this.#name(family[a]!, family[b]!, weights.lastName)
    const lastLevel = this.#level
    this.#say(place.first_name, first, firstLevel)
    this.#say(place.last_name, last, lastLevel)
    let best = first + last
    if (firstLevel === exact && lastLevel === exact) return best
    if (firstLevel < near || lastLevel < near) best = this.#crossedNames(a, b, best)
    // All of it in one field, in either order.
    if (given[a] && given[b] && family[a] && family[b]) return best
    const one = whole[a] && (whole[a] === whole[b] || whole[a] === turned[b] || turned[a] === whole[b])
    if (!one) return best
    const full = given[a] && family[a] ? a : b
    let sum = 0
    if (given[full]) sum += this.#agree(given[full], weights.firstName)
    if (family[full]) sum += this.#agree(family[full], weights.lastName)
    if (sum <= best) return best
    this.#say(place.first_name, sum / 2, exact)
    this.#say(place.last_name, sum / 2, exact)
    return sum
  }

  /** Written the other way round, where that fits better. */
  #crossedNames(a: number, b: number, straight: number): number {
    const { given, family } = this.people.columns
    const one = this.#name(given[a]!, family[b]!, weights.firstName)
    const oneLevel = this.#level
    const other = this.#name(family[a]!, given[b]!, weights.firstName)
    const otherLevel = this.#level
    const sum = one + other + weights.crossedNames
    if (sum <= straight || Math.max(oneLevel, otherLevel) < near) return straight
    this.#say(place.first_name, (one + other + weights.crossedNames) / 2, Math.max(oneLevel, otherLevel))
    this.#say(place.last_name, sum / 2, Math.min(oneLevel || otherLevel, otherLevel || oneLevel))
    return sum
  }

  #name(a: number, b: number, field: NameWeights): number {
    this.#level = missing
    if (!a || !b) return 0
    this.#level = exact
    if (a === b) return this.#agree(a, field)
    const { codes, starts, dense, nicknames } = this.people.terms
    const startA = starts[a]! + 1
    const startB = starts[b]! + 1
    const endA = starts[a + 1]!
    const endB = starts[b + 1]!
    const shorter = Math.min(endA - startA, endB - startB)
    const rarity = Math.min(this.#agree(a, field), this.#agree(b, field))
    if (dense[a] && dense[b]) {
      this.#level = gramDice(codes, startA, endA, startB, endB) >= 0.6 ? near : different
      return this.#level === near ? Math.min(field.near, rarity) : field.different
    }
    if (shorter === 1) {
      this.#level = codes[startA] === codes[startB] ? related : different
      return this.#level === related ? Math.min(field.initial, rarity) : field.different
    }
    this.#level = different
    if (onlyDigitsDiffer(codes, startA, endA, startB, endB)) return field.different
    const likeness = couldReach(this.people.terms, a, b, 0.8) ? jaroWinkler(codes, startA, endA, startB, endB) : 0
    this.#level = near
    if (likeness >= 0.92) return Math.min(field.near, rarity)
    if (likeness && shorter >= 5 && edits(codes, startA, endA, startB, endB, 1) <= 1)
      return Math.min(field.near, rarity)
    this.#level = related
    const groups = nicknames.get(a)
    if (groups && areNicknames(groups, nicknames.get(b) ?? [])) return Math.min(field.related, rarity)
    if (shorter >= 4 && isPart(codes, startA, endA, startB, endB)) return Math.min(field.related, rarity)
    this.#level = similar
    if (likeness >= 0.8) return Math.min(field.similar, rarity)
    this.#level = different
    return field.different
  }

  /** Every known address of one with every one of the other; the best counts. */
  #emails(a: number, b: number): number {
    const { email, email2 } = this.people.columns
    if (shares(a, b, email, email2)) return this.#say(place.email, weights.email.exact, exact)
    let best = email2[a] && email2[b] ? weights.email.othersDifferent : weights.email.different
    let level = different
    for (const x of [email[a]!, email2[a]!]) {
      for (const y of [email[b]!, email2[b]!]) {
        const weight = x && y ? this.#email(x, y, a, b) : 0
        if (weight <= 0 || weight <= best) continue
        best = weight
        level = this.#level
      }
    }
    return this.#say(place.email, best, level)
  }

  /** 0 where the two have nothing in common. */
  #email(x: number, y: number, a: number, b: number): number {
    const { terms, columns } = this.people
    const { codes, starts } = terms
    const startX = starts[x]! + 1
    const startY = starts[y]! + 1
    const endX = starts[x + 1]!
    const endY = starts[y + 1]!
    const mayBeNear = couldReach(terms, x, y, 0.9)
    if (!mayBeNear && !sameCodes(codes, startX, startY, 3)) return 0
    const local = codes.indexOf(64, startX) - startX // up to the @
    const names = [columns.given[a]!, columns.family[a]!, columns.given[b]!, columns.family[b]!]
    if (
      local >= 3 &&
      codes[startY + local] === 64 &&
      startY + local < endY &&
      sameCodes(codes, startX, startY, local)
    ) {
      this.#level = related
      if (isShared(terms, startX, local)) return 0
      return isNamed(terms, startX, local, names) ? weights.email.named : weights.email.local
    }
    if (!mayBeNear || jaroWinkler(codes, startX, endX, startY, endY) < 0.9) return 0
    if (onlyDigitsDiffer(codes, startX, endX, startY, endY)) return 0
    this.#level = near
    return isNamed(terms, startX, local, names) ? weights.email.local : weights.email.near
  }

  #phones(a: number, b: number): number {
    const { phone, phone2 } = this.people.columns
    if (shares(a, b, phone, phone2)) return this.#say(place.phone, weights.phone.exact, exact)
    const { codes, starts } = this.people.terms
    const [x, y] = [phone[a]!, phone[b]!]
    const [startX, endX, startY, endY] = [starts[x]! + 1, starts[x + 1]!, starts[y]! + 1, starts[y + 1]!]
    // One with its country code, the other without.
    const tail = Math.min(endX - startX, endY - startY, 9)
    if (tail >= 8 && sameCodes(codes, endX - tail, endY - tail, tail)) {
      return this.#say(place.phone, weights.phone.exact, exact)
    }
    if (edits(codes, startX, endX, startY, endY, 1) <= 1) return this.#say(place.phone, weights.phone.near, near)
    return this.#say(place.phone, weights.phone.different, different)
  }

  #birth(a: number, b: number): number {
    const [x, y] = [this.people.columns.birth[a]!, this.people.columns.birth[b]!]
    const field = weights.birthDate
    this.#level = missing
    if (!x || !y) return 0
    this.#level = exact
    if (x === y) return this.#agree(x, field)
    const { codes, starts } = this.people.terms
    const [startX, startY] = [starts[x]! + 1, starts[y]! + 1]
    this.#level = near
    if (isTurned(codes, startX, startY) || edits(codes, startX, startX + 8, startY, startY + 8, 1) <= 1) {
      return Math.min(field.near, this.#agree(x, field), this.#agree(y, field))
    }
    this.#level = similar
    if (Math.abs(roughDay(codes, startX) - roughDay(codes, startY)) <= 100) return field.close
    if (yearOf(codes, startX) === yearOf(codes, startY)) return field.sameYear
    this.#level = different
    return field.different
  }

  #identifier(a: number, b: number): number {
    const { idKind, id } = this.people.columns
    this.#level = missing
    if (!id[a] || !id[b] || idKind[a] !== idKind[b]) return 0
    this.#level = exact
    if (id[a] === id[b]) return weights.identifier.exact
    const { codes, starts } = this.people.terms
    const [x, y] = [id[a], id[b]]
    this.#level = near
    if (edits(codes, starts[x]! + 1, starts[x + 1]!, starts[y]! + 1, starts[y + 1]!, 1) <= 1) {
      return weights.identifier.near
    }
    this.#level = different
    return weights.identifier.different
  }

  #household(a: number, b: number): number {
    const { columns } = this.people
    const post = this.#say(place.postcode, this.#part(columns.postcode, a, b, weights.postcode))
    const town = this.#say(place.city, this.#part(columns.city, a, b, weights.city))
    const land = this.#say(place.region, this.#part(columns.region, a, b, weights.region))
    const area = this.#limit(post + town + land, Math.max(post, town, land) + weights.localityMore, place.city)
    let address = this.#part(columns.number, a, b, weights.streetNumber)
    let level = this.#level
    address += this.#part(columns.unit, a, b, weights.unit)
    level = this.#level || level
    address += this.#part(columns.street, a, b, weights.street)
    this.#say(place.address, address, this.#level || level)
    return this.#limit(area + address, weights.householdMost, place.address)
  }

  /** What the fields from `first` to the region say together is worth `most` at most; each keeps its share. */
  #limit(sum: number, most: number, first: number): number {
    if (sum <= most) return sum
    for (let field = first; field <= place.region; field++) this.out.weight[field]! *= most / sum
    return most
  }

  #part(column: Int32Array, a: number, b: number, field: Agreement): number {
    const [x, y] = [column[a]!, column[b]!]
    this.#level = missing
    if (!x || !y) return 0
    this.#level = exact
    if (x === y) return this.#agree(x, field)
    this.#level = field.near && this.#isNear(x, y) ? near : different
    return this.#level === near ? Math.min(field.near, this.#agree(x, field), this.#agree(y, field)) : field.different
  }

  #isNear(x: number, y: number): boolean {
    if (!couldReach(this.people.terms, x, y, 0.7)) return false
    const { codes, starts } = this.people.terms
    const startX = starts[x]! + 1
    const startY = starts[y]! + 1
    const endX = starts[x + 1]!
    const endY = starts[y + 1]!
    if (Math.min(endX - startX, endY - startY) <= 5) return edits(codes, startX, endX, startY, endY, 1) <= 1
    if (!couldReach(this.people.terms, x, y, 0.88)) return false
    if (jaroWinkler(codes, startX, endX, startY, endY) < 0.88) return false
    return !onlyDigitsDiffer(codes, startX, endX, startY, endY)
  }
}

/** Whether two people have a value in common, in either of two columns. */
function shares(a: number, b: number, one: Int32Array, two: Int32Array): boolean {
  const [a1, a2, b1, b2] = [one[a], two[a], one[b], two[b]]
  return Boolean((a1 && (a1 === b1 || a1 === b2)) || (a2 && (a2 === b1 || a2 === b2)))
}
