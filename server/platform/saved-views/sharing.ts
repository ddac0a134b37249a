/**
 * What one saves for oneself and may share. A private thing is its owner's alone, and to others as if it were not there; a
 * shared one is everybody's to use, and its owner's and the admins' to change.
 */
import { sql, type RawBuilder } from 'kysely'
import type { Actor } from '../actor.ts'
import { Forbidden, Invalid } from '../errors.ts'

export const visibilities = ['private', 'workspace'] as const
export type Visibility = (typeof visibilities)[number]

/** Of rows of the table that is named `alias` in the query. */
export function sharedWith(actor: Actor, alias: string): RawBuilder<boolean> {
  const row = sql.ref(alias)
  return sql<boolean>`(${row}.visibility = 'workspace' or ${row}.owner_id = ${actor.id}::uuid)`
}

export function ownedBy(actor: Actor, alias: string, isOwn: boolean): RawBuilder<boolean> {
  return sql<boolean>`(${sql.ref(alias)}.owner_id = ${actor.id}::uuid) is ${isOwn ? sql`true` : sql`not true`}`
}

/** The owner's id; `thing` as in "A view". Whoever has no id, as the program itself, owns nothing. */
export function requireOwner({ id }: Actor, thing: string): string {
  if (id) return id
  throw new Forbidden('no_owner', `${thing} belongs to a person or a key. Sign in as one to save it.`)
}

/** To another person it would be gone for good: it would be private, and not theirs. */
export function refuseTakingBack(actor: Actor, thing: { owner_id: string }, wanted: Visibility | undefined): void {
  if (wanted !== 'private' || thing.owner_id === actor.id) return
  throw Invalid.at('/visibility', 'not_yours', 'Only its owner can take it back from the others. Delete it instead.')
}
