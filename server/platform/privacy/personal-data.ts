/**
 * What a module promises about people: to hand out all that it knows of somebody, and to forget it. The privacy module
 * walks these promises of all modules and knows none of them by name; a test walks the tables, so that none is left out.
 */
import type { Db, Tx } from '../db/db.ts'
import type { Services } from '../services.ts'

/** Somebody, by everything that we know them by. */
export interface Person {
  contactIds: string[]
  /** Of other services. */
  userIds: string[]
  /** In small letters. */
  emails: string[]
  /** As typed, and in E.164. */
  phones: string[]
  names: string[]
  language: string | null
}

/** How a request says who is meant. */
export type Asked = { user_id: string } | { contact_id: string } | { email: string }

export interface PersonalData {
  /** Tables that name a contact, as `schema.table`. */
  tables: readonly string[]
  /** Who is meant, where this module can tell; null when it knows nobody of that kind. */
  find?(tx: Tx, asked: Asked): Promise<Person | null>
  /** What this module knows of the person: batches of rows, those of one table together. */
  export(tx: Tx, person: Person): AsyncIterable<TableRows>
  /** Removes or anonymises it; answers the number of rows by table. May be called again. */
  erase(tx: Tx, person: Person, services: Services): Promise<Record<string, number>>
  /** Files that are this person's alone: part of a copy, and gone with an erasure. */
  files?(tx: Tx, person: Person): Promise<PersonalFile[]>
  /** Files in which this person stands among others: those are removed. No transaction is open. May be called again. */
  sweep?(place: { workspaceId: string; db: Db; services: Services }, person: Person): Promise<Record<string, number>>
}

export interface TableRows {
  table: string
  rows: unknown[]
}

export interface PersonalFile {
  key: string
  /** In the copy: a path of its own, such as `avatar.webp`. */
  name: string
}

/** A module's promise, under the module's name. */
export interface Keeper {
  name: string
  data: PersonalData
}

export function nobody(): Person {
  return { contactIds: [], userIds: [], emails: [], phones: [], names: [], language: null }
}
