/**
 * Looks for duplicates of a few people, in the blocks of their own keys: in the index of keys instead of in everybody. The
 * same keys, model and verdict as the scan's; how frequent values are is what the last scan counted.
 */
import { sql } from 'kysely'
import type { Tx } from '#platform/db/db.ts'
import type { FoundPair, Keyed } from './finder.ts'
import { saveKeys, seedOf } from './found.ts'
import { judge, type Verdict } from './judge.ts'
import { Keys } from './keys.ts'
import { Model } from './model.ts'
import { People } from './people.ts'
import { toPerson, type Identifying, type Person } from './person.ts'

/** Of one block, so many are looked at; together, so many. */
const blockMost = 40
const candidatesMost = 2_000

export interface Candidate extends Verdict {
  id: string
}

/** Contacts that this person, who need not be one yet, may be already; the likeliest first. */
export async function lookFor(tx: Tx, person: Person): Promise<Candidate[]> {
  const people = new People()
  const row = people.add(person)
  const keys = keysOfRows(tx, people, [row]).get(row)!
  const met = await meet(tx, keys)
  const ids = [...new Set([...met.values()].flat())].slice(0, candidatesMost)
  const contacts = await readContacts(tx, ids)
  const rows = contacts.map((contact) => people.add(toPerson(contact)))
  const model = await modelOf(tx, people, [row])
  return rows
    .flatMap((other, index): Candidate[] => {
      const verdict = judge(model, row, other)
      return verdict ? [{ id: contacts[index]!.id, ...verdict }] : []
    })
    .toSorted((one, other) => other.weight - one.weight)
}

/** Suggestions about these contacts; keeps their keys as they are now. Deleted ones have none. */
export async function lookAround(tx: Tx, contactIds: string[]): Promise<FoundPair[]> {
  const own = await readContacts(tx, contactIds)
  if (!own.length) return []
  const people = new People()
  const rowOf = new Map(own.map((contact) => [contact.id, people.add(toPerson(contact))]))
  const keys = keysOfRows(tx, people, [...rowOf.values()])
  await saveKeys(tx, writeKeys(own, rowOf, keys))
  const met = await meet(tx, [...keys.values()].flat())
  const others = [...new Set([...met.values()].flat())].filter((id) => !rowOf.has(id))
  for (const contact of await readContacts(tx, others.slice(0, candidatesMost * 10))) {
    rowOf.set(contact.id, people.add(toPerson(contact)))
  }
  const model = await modelOf(tx, people, [...keys.keys()])
  const found = new Map<string, FoundPair>()
  for (const { id } of own) {
    const around = new Set(keys.get(rowOf.get(id)!)!.flatMap((key) => met.get(key) ?? []))
    for (const other of around) {
      const [a, b] = id < other ? [id, other] : [other, id]
      if (id === other || !rowOf.has(other) || found.has(a + b)) continue
      const verdict = judge(model, rowOf.get(a)!, rowOf.get(b)!)
      if (verdict) found.set(a + b, { a, b, ...verdict })
    }
  }
  return [...found.values()]
}

function keysOfRows(tx: Tx, people: People, rows: number[]): Map<number, number[]> {
  const keys = new Keys(people, seedOf(tx.workspaceId))
  return new Map(
    rows.map((row) => {
      keys.collect(row)
      return [row, [...keys.found.subarray(0, keys.count)]]
    }),
  )
}

function writeKeys(own: { id: string }[], rowOf: Map<string, number>, keys: Map<number, number[]>): Keyed {
  return { ids: own.map(({ id }) => id), keys: own.map(({ id }) => `{${keys.get(rowOf.get(id)!)!.join(',')}}`) }
}

/** Who has each of these keys. */
async function meet(tx: Tx, keys: number[]): Promise<Map<number, string[]>> {
  const { rows } = await sql<{ key: number; ids: string[] }>`
    select k.key, array(
      select r.contact_id from contacts.duplicate_key_rows r where r.keys @> array[k.key] limit ${blockMost}) as ids
    from unnest(${[...new Set(keys)]}::int[]) as k(key)`.execute(tx.sql)
  return new Map(rows.map(({ key, ids }) => [key, ids]))
}

async function readContacts(tx: Tx, ids: string[]): Promise<(Identifying & { id: string })[]> {
  if (!ids.length) return []
  const { rows } = await sql<Identifying & { id: string }>`
    select c.id, c.email, c.first_name, c.last_name, c.phone, c.phone_key, c.company, c.custom_fields
    from contacts.contact_rows c where c.id = any(${ids}::uuid[]) and c.deleted_at is null order by c.id`.execute(
    tx.sql,
  )
  return rows
}

/** What is frequent here is counted among a few people who are alike, so the scan's counts go before. */
async function modelOf(tx: Tx, people: People, rows: number[]): Promise<Model> {
  const { terms } = people
  const own = new Map<string, number>()
  for (const column of Object.values(people.columns)) {
    for (const row of rows) {
      const term = column[row]!
      if (term && terms.kind(term) !== 'h') own.set(terms.kind(term) + terms.text(term), term)
    }
  }
  const { rows: counted } = await sql<{ term: string | null; people: number }>`
    select null as term, s.people from contacts.duplicate_state s
    union all
    select t.term, t.people from contacts.duplicate_terms t where t.term = any(${[...own.keys()]}::text[])`.execute(
    tx.sql,
  )
  let population = 0
  for (const { term, people: count } of counted) {
    if (term === null) population = count
    else terms.counts[own.get(term)!] = Math.max(terms.counts[own.get(term)!]!, count)
  }
  return new Model(people, population)
}
