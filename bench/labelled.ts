/** Labelled sets for duplicate detection: reading them, the plain methods to compare with, and precision and recall. */
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { forPairs, fullBlock, nameOrder, sortEntries } from '../server/modules/contacts/duplicates/blocks.ts'
import { groupsOf } from '../server/modules/contacts/duplicates/clusters.ts'
import { Finder, type Loaded } from '../server/modules/contacts/duplicates/finder.ts'
import { Keys, keysMax } from '../server/modules/contacts/duplicates/keys.ts'
import { People } from '../server/modules/contacts/duplicates/people.ts'
import { toPerson } from '../server/modules/contacts/duplicates/person.ts'

export interface LabelledSet {
  name: string
  contacts: Loaded[]
  /** By place in `contacts`: which person it is. */
  truth: string[]
}

export interface Quality {
  precision: number
  recall: number
  f1: number
}

/** By places in `contacts`. */
export type Pair = [number, number]

/** Every set that the folder has, each as often as it is judged. */
export function readSets(folder: string): LabelledSet[] {
  const sets: LabelledSet[] = []
  for (const file of ['splink_fake_1000', 'febrl_dataset1', 'febrl_dataset2', 'febrl_dataset3']) {
    const full = path.join(folder, `${file}.csv`)
    if (!existsSync(full)) continue
    const rows = readRows(full)
    if (file.startsWith('splink')) {
      sets.push({ name: file, contacts: rows.map(fromSplink), truth: rows.map(({ cluster }) => cluster!) })
      continue
    }
    const truth = rows.map(({ rec_id }) => rec_id!.split('-')[1]!)
    sets.push({ name: `${file}, with identifier`, contacts: rows.map((row, at) => fromFebrl(row, at, true)), truth })
    sets.push({ name: `${file}, without`, contacts: rows.map((row, at) => fromFebrl(row, at, false)), truth })
  }
  return sets
}

/** What the scan suggests, and whom its groups put together. */
export function findByModel({ contacts }: LabelledSet): { pairs: Pair[]; grouped: Pair[] } {
  const finder = new Finder(1)
  finder.load(contacts)
  const place = new Map(contacts.map(([id], index) => [id, index]))
  const links = finder.find(0, 1).map(({ a, b, weight }) => ({ a: place.get(a)!, b: place.get(b)!, strength: weight }))
  const group = groupsOf(contacts.length, links)
  const members = Map.groupBy(contacts.keys(), (index) => group[index]!)
  return { pairs: links.map(({ a, b }): Pair => [a, b]), grouped: [...members.values()].flatMap(pairsAmong) }
}

/** One e-mail address, letter for letter but for case. */
export function findByEmail({ contacts }: LabelledSet): Pair[] {
  const members = Map.groupBy(contacts.keys(), (index) => contacts[index]![1].toLowerCase())
  members.delete('')
  return [...members.values()].flatMap(pairsAmong)
}

/** Whoever shares a key is a candidate, as in the scan; each pair once. */
export function candidatesOf(contacts: Loaded[]): Pair[] {
  const people = new People()
  const keys = new Keys(people, 1)
  const entryKeys = new Int32Array(contacts.length * keysMax)
  const entryRows = new Int32Array(contacts.length * keysMax)
  let count = 0
  for (const contact of contacts) {
    const row = people.add(toPerson(identifying(contact)))
    keys.collect(row)
    for (let at = 0; at < keys.count; at++) {
      entryKeys[count] = keys.found[at]!
      entryRows[count++] = row
    }
  }
  const entries = sortEntries(entryKeys.slice(0, count), entryRows.slice(0, count))
  const options = { fullMost: fullBlock(contacts.length), neighbours: 10, order: nameOrder(people) }
  const seen = new Set<number>()
  forPairs(entries, { start: 0, end: count }, options, (one, other) => {
    seen.add(Math.min(one, other) * contacts.length + Math.max(one, other))
  })
  return Array.from(seen, (pair): Pair => [Math.floor(pair / contacts.length), pair % contacts.length])
}

/**
 * The reference: the mean Jaro–Winkler likeness of the fields that both have, over the same candidates, at the threshold
 * that is best for this very set, which nobody can know beforehand.
 */
export function bestByLikeness({ contacts, truth }: LabelledSet): Quality {
  const texts = contacts.map(textsOf)
  const rated = candidatesOf(contacts).map((pair) => ({ pair, likeness: likeness(texts, pair) }))
  const all = truePairs(truth)
  let best: Quality = { precision: 0, recall: 0, f1: 0 }
  let right = 0
  for (const [index, { pair }] of rated.toSorted((one, other) => other.likeness - one.likeness).entries()) {
    if (truth[pair[0]] === truth[pair[1]]) right++
    const quality = toQuality(right, index + 1, all)
    if (quality.f1 > best.f1) best = quality
  }
  return best
}

export function likeness(texts: string[][], [one, other]: Pair): number {
  let sum = 0
  let fields = 0
  for (const [field, text] of texts[one]!.entries()) {
    const second = texts[other]![field]!
    if (!text || !second) continue
    sum += jaroWinkler(text, second)
    fields++
  }
  return fields ? sum / fields : 0
}

export function textsOf([, email, first, last, phone, , company, custom]: Loaded): string[] {
  return [email, first, last, phone ?? '', company ?? '', ...customNames.map((name) => String(custom[name] ?? ''))].map(
    (text) => text.toLowerCase(),
  )
}

export function qualityOf(pairs: Pair[], truth: string[]): Quality {
  const right = pairs.filter(([one, other]) => truth[one] === truth[other]).length
  return toQuality(right, pairs.length, truePairs(truth))
}

export function toQuality(right: number, found: number, all: number): Quality {
  const precision = found ? right / found : 1
  const recall = all ? right / all : 1
  return { precision, recall, f1: precision + recall ? (2 * precision * recall) / (precision + recall) : 0 }
}

export function truePairs(truth: string[]): number {
  return [...Map.groupBy(truth, (person) => person).values()].reduce(
    (sum, { length }) => sum + (length * (length - 1)) / 2,
    0,
  )
}

const customNames = ['birth_date', 'street_number', 'address_1', 'address_2', 'city', 'postcode', 'state', 'soc_sec_id']

type Row = Record<string, string>

/** None of the sets quotes anything. */
function readRows(file: string): Row[] {
  const [head, ...lines] = readFileSync(file, 'utf8')
    .trim()
    .split(/\r?\n/)
    .map((line) => line.split(',').map((cell) => cell.trim()))
  return lines.map((cells) => Object.fromEntries(head!.map((name, at) => [name, cells[at] ?? ''])))
}

const idOf = (index: number): string => String(index).padStart(8, '0')

function fromSplink(row: Row, index: number): Loaded {
  const { first_name = '', surname = '', dob = '', city = '', email = '' } = row
  return [idOf(index), email, first_name, surname, null, null, null, { birth_date: dob, city }]
}

/** These sets know no addresses of mail. */
function fromFebrl(row: Row, index: number, withIdentifier: boolean): Loaded {
  const { given_name = '', surname = '', street_number, address_1, address_2, suburb, postcode, state } = row
  const custom = { birth_date: row.date_of_birth, street_number, address_1, address_2, city: suburb, postcode, state }
  const identifier = withIdentifier ? { soc_sec_id: row.soc_sec_id } : {}
  return [idOf(index), '', given_name, surname, null, null, null, { ...custom, ...identifier }]
}

function identifying([, email, first_name, last_name, phone, phone_key, company, custom_fields]: Loaded) {
  return { email, first_name, last_name, phone, phone_key, company, custom_fields }
}

function pairsAmong(members: number[]): Pair[] {
  return members.flatMap((one, at) => members.slice(at + 1).map((other): Pair => [one, other]))
}

/** As the textbooks have it. */
function jaroWinkler(one: string, other: string): number {
  if (one === other) return 1
  const reach = Math.max(0, Math.floor(Math.max(one.length, other.length) / 2) - 1)
  const taken: boolean[] = []
  const common: string[] = []
  for (let at = 0; at < one.length; at++) {
    for (let to = Math.max(0, at - reach); to < Math.min(other.length, at + reach + 1); to++) {
      if (taken[to] || one[at] !== other[to]) continue
      taken[to] = true
      common.push(one[at]!)
      break
    }
  }
  if (!common.length) return 0
  const others = other.split('').filter((_, at) => taken[at])
  const swapped = common.filter((letter, at) => letter !== others[at]).length / 2
  const jaro =
    (common.length / one.length + common.length / other.length + (common.length - swapped) / common.length) / 3
  let start = 0
  while (start < 4 && start < one.length && one[start] === other[start]) start++
  return jaro + start * 0.1 * (1 - jaro)
}
