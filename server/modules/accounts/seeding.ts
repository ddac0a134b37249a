/** A house with people in it, made at once: for the demo. */
import type pg from 'pg'
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import type { Services } from '#platform/services.ts'
import { createApiKey } from './api-keys.ts'
import { invite } from './invitations.ts'
import { createUser } from './users.ts'
import type { Language, StaffRole } from './tables.ts'

export interface HouseSeed {
  name: string
  slug: string
  language: Language
  timezone: string
  country: string
  currency: string
  mailFrom: string
  postalAddress: string
  createdAt: Date
  owner: PersonSeed & { passwordHash: string }
  /** Colleagues to see among the members. They have no password, so nobody signs in as one of them. */
  colleagues: (PersonSeed & { role: StaffRole; joinedAt: Date })[]
  invited: { email: string; role: StaffRole }
}

interface PersonSeed {
  fullName: string
  email: string
  language: Language
}

/** The owner and colleagues as actors, the owner first. The workspace gets the id of the transaction's scope. */
export async function seedHouse(tx: Tx, services: Pick<Services, 'permissions'>, house: HouseSeed): Promise<Actor[]> {
  await tx.sql
    .insertInto('accounts.workspaces')
    .values({
      id: tx.workspaceId,
      name: house.name,
      slug: house.slug,
      language: house.language,
      timezone: house.timezone,
      country: house.country,
      currency: house.currency,
      mail_from: house.mailFrom,
      mail_from_name: house.name,
      postal_address: house.postalAddress,
      created_at: house.createdAt,
    })
    .execute()
  const { passwordHash, ...owner } = house.owner
  const people: Actor[] = [await seedMember(tx, { ...owner, role: 'owner', joinedAt: house.createdAt, passwordHash })]
  for (const colleague of house.colleagues) people.push(await seedMember(tx, { ...colleague, passwordHash: null }))
  await invite(tx, people[0]!, { ...house.invited, language: house.language })
  await createApiKey(tx, people[0]!, services.permissions, { name: 'Website booking form', role: 'agent' })
  return people
}

async function seedMember(
  tx: Tx,
  person: PersonSeed & { role: StaffRole; joinedAt: Date; passwordHash: string | null },
): Promise<Actor> {
  const id = await createUser(tx, {
    email: person.email,
    full_name: person.fullName,
    password_hash: person.passwordHash,
    language: person.language,
  })
  await tx.sql
    .insertInto('accounts.memberships')
    .values({ workspace_id: tx.workspaceId, user_id: id, role: person.role, created_at: person.joinedAt })
    .execute()
  const { workspaceId } = tx
  return { kind: 'user', id, workspaceId, role: person.role, scopes: null, email: person.email, name: person.fullName }
}

/** A password for somebody who lost theirs; answers whether there is such a person. */
export async function replacePassword(tx: Tx, email: string, passwordHash: string): Promise<boolean> {
  const changed = await tx.sql
    .updateTable('accounts.users')
    .set({ password_hash: passwordHash })
    .where('email', '=', email)
    .where('origin', '=', 'rapport')
    .returning('id')
    .executeTakeFirst()
  return changed !== undefined
}

/** Takes a house away with all who belong to no other. By the owner of the database: the application itself may not. */
export async function removeHouse(owner: pg.Client, workspaceId: string): Promise<void> {
  const { rows } = await owner.query<{ id: string }>(
    `select user_id as id from accounts.memberships group by user_id having bool_and(workspace_id = $1)`,
    [workspaceId],
  )
  const leaving = rows.map(({ id }) => id)
  for (const table of ['sessions', 'invitations', 'api_keys', 'memberships']) {
    await owner.query(`delete from accounts.${table} where workspace_id = $1`, [workspaceId])
  }
  for (const table of ['password_resets', 'recovery_codes', 'known_devices', 'sessions']) {
    await owner.query(`delete from accounts.${table} where user_id = any($1)`, [leaving])
  }
  await owner.query('delete from accounts.users where id = any($1)', [leaving])
  await owner.query('delete from accounts.workspaces where id = $1', [workspaceId])
}
