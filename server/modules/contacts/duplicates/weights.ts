/**
 * The numbers of the model, in bits. `m` is the share of pairs of one person in which the values agree; what agreement
 * weighs then follows from how rare the value is, between `least` and `most`. All else is log2(m / u) of its level, chosen
 * once on small labelled sets of invented people and rounded, so that it holds for others. Nothing is learnt at run time.
 */
import type { TermClass } from './terms.ts'

export interface Agreement {
  m: number
  most: number
  least: number
  near: number
  different: number
}
export interface NameWeights extends Agreement {
  /** A short form, or one of two names: "Bob", "Anna" of "Anna Maria". */
  related: number
  similar: number
  initial: number
}

export const firstName: NameWeights = {
  m: 0.65,
  most: 11,
  least: 1.5,
  near: 5,
  related: 3.5,
  similar: 2,
  initial: 1.5,
  different: -2.5,
}
export const lastName: NameWeights = {
  m: 0.7,
  most: 12,
  least: 1.5,
  near: 6,
  related: 3.5,
  similar: 2.5,
  initial: 1,
  different: -2.5,
}
/** Names that agree only when one record's are turned round. */
export const crossedNames = -1

export const email = {
  exact: 16,
  near: 9,
  /** The same before the @. */
  local: 6,
  /** What is before the @ is their name, which the names have said already. */
  named: 3,
  /** Two records of one person always differ in the address that is unique, so that says little; others say more. */
  different: -0.5,
  othersDifferent: -2.5,
}
/** One digit away is a slip, or the next desk. */
export const phone = { exact: 13, near: 2.5, different: -1 }
export const company: Agreement = { m: 0.7, most: 9, least: 1, near: 5, different: -0.5 }
export const birthDate = {
  m: 0.7,
  most: 13.5,
  least: 4,
  /** One digit, or day and month changed places. */
  near: 5.5,
  /** Within a hundred days. */
  close: 3.5,
  sameYear: 1,
  different: -5,
}
export const street: Agreement = { m: 0.7, most: 9, least: 2, near: 6, different: -2 }
export const streetNumber: Agreement = { m: 0.8, most: 5, least: 2, near: 0, different: -1 }
export const unit: Agreement = { m: 0.6, most: 7, least: 2, near: 4, different: -0.5 }
export const city: Agreement = { m: 0.7, most: 9, least: 1, near: 3.5, different: -1.5 }
export const postcode: Agreement = { m: 0.7, most: 9, least: 1, near: 3, different: -2 }
export const region: Agreement = { m: 0.85, most: 4, least: 0.2, near: 0, different: -1.5 }
export const identifier = { exact: 22, near: 8, different: -6 }

/**
 * Town, postcode and region are nearly one fact: whoever lives in a village has its name and its code. Together they say
 * as much as the rarest of them, and so much more.
 */
export const localityMore = 1.5
/** Street, number, unit, town, postcode and region depend on each other, and a family shares them: together at most. */
export const householdMost = 18

/** By class of term: the frequency expected of a value that nobody has counted, with the weight of so many people. */
export const expectedShare: Partial<Record<TermClass, number>> = {
  n: 1 / 600,
  o: 1 / 1_000,
  b: 1 / 15_000,
  s: 1 / 1_500,
  u: 1 / 80,
  c: 1 / 150,
  z: 1 / 300,
  r: 1 / 6,
}
export const expectedPeople = 1_000

/** Where the odds begin: of so many people, one other is expected to be the same. Smaller workspaces count as this. */
export const peopleLeast = 1_000

/** From here two records are suggested. */
export const probabilityLeast = 0.5
