/** People: their profile, and making one who signs in here. */
import type { Actor } from '#platform/actor.ts'
import { hashPassword, judgePassword, type PasswordFault } from '#platform/crypto/passwords.ts'
import type { Tx } from '#platform/db/db.ts'
import { checkVersion, Conflict, Forbidden, Invalid, NotFound } from '#platform/errors.ts'
import { newId } from '#platform/ids.ts'
import type { Language, Theme, UserRow } from './tables.ts'

/** Keys and services have no profile, password or sessions. */
export function personOf(actor: Actor): string {
  if (actor.kind === 'user' && actor.id) return actor.id
  throw new Forbidden('people_only', 'Only a person has this; an API key does not.')
}

export async function getUser(tx: Tx, id: string): Promise<UserRow> {
  const user = await tx.sql.selectFrom('accounts.users').selectAll().where('id', '=', id).executeTakeFirst()
  if (!user) throw new NotFound('person')
  return user
}

export interface Profile {
  full_name?: string | undefined
  language?: Language | undefined
  timezone?: string | null | undefined
  theme?: Theme | undefined
}

export async function changeProfile(
  tx: Tx,
  actor: Actor,
  profile: Profile,
  ifVersion: number | undefined,
): Promise<UserRow> {
  const id = personOf(actor)
  const user = await tx.sql
    .selectFrom('accounts.users')
    .selectAll()
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirstOrThrow()
  checkVersion(user.version, ifVersion)
  if (profile.timezone) checkTimezone(profile.timezone)
  if (Object.keys(profile).length === 0) return user
  return tx.sql.updateTable('accounts.users').set(profile).where('id', '=', id).returningAll().executeTakeFirstOrThrow()
}

/** Writes, then translates: two people cannot take one address, however close together they come. */
export async function createUser(
  tx: Tx,
  person: { email: string; full_name: string; password_hash: string | null; language: Language },
): Promise<string> {
  const id = newId()
  const added = await tx.sql
    .insertInto('accounts.users')
    .values({ ...person, email: person.email.toLowerCase(), id })
    .onConflict((conflict) => conflict.doNothing())
    .returning('id')
    .executeTakeFirst()
  if (!added) throw new Conflict('email_taken', 'Somebody has this e-mail address already.')
  return id
}

/** Refuses what is easily guessed, and answers the hash of the rest. */
export async function acceptPassword(pointer: string, password: string, personal: string[]): Promise<string> {
  const fault = judgePassword(password, personal)
  if (fault) throw Invalid.at(pointer, fault, passwordFaults[fault])
  return hashPassword(password)
}

const passwordFaults: Record<PasswordFault, string> = {
  too_short: 'Use at least 8 characters; 15 or more are better.',
  too_long: 'Use at most 256 characters.',
  too_common: 'This password is among the first that attackers try.',
  too_personal: 'This password is made of your own name or address.',
}

/** The zones that this machine can compute with. */
export function checkTimezone(timezone: string): void {
  try {
    Intl.DateTimeFormat('en', { timeZone: timezone })
  } catch {
    throw Invalid.at(
      '/timezone',
      'unknown_timezone',
      'Use a name of the IANA time zone database, such as Europe/Paris.',
    )
  }
}
