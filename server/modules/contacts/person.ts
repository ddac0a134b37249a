/**
 * Who is meant by a request about a person: the contact it names, and every other record of the same human being, deleted
 * ones too. Records hang together by their addresses, by the user of another service, and by merges; a chain of them is followed.
 */
import { sql } from 'kysely'
import type { Tx } from '#platform/db/db.ts'
import type { Asked, Person } from '#platform/privacy/personal-data.ts'

interface Known {
  id: string
  user_id: string | null
  email: string
  addresses: string[]
  phones: string[]
  name: string
  language: string
}

/** Nobody has more records than this; a chain that goes on is somebody's test data. */
const roundsMax = 20

export async function findPerson(tx: Tx, asked: Asked): Promise<Person | null> {
  let found = await findRecords(tx, {
    ids: 'contact_id' in asked ? [asked.contact_id] : [],
    users: 'user_id' in asked ? [asked.user_id] : [],
    emails: 'email' in asked ? [asked.email.trim().toLowerCase()] : [],
  })
  for (let round = 0; round < roundsMax; round++) {
    const more = await findRecords(tx, {
      ids: found.map((each) => each.id),
      users: found.flatMap((each) => each.user_id ?? []),
      emails: found.flatMap((each) => [each.email, ...each.addresses]),
    })
    if (more.length === found.length) break
    found = more
  }
  if (!found.length) return null
  return {
    contactIds: found.map((each) => each.id),
    userIds: distinct(found.flatMap((each) => each.user_id ?? [])),
    emails: distinct(found.flatMap((each) => [each.email, ...each.addresses])),
    phones: distinct(found.flatMap((each) => each.phones)),
    names: distinct(found.map((each) => each.name).filter(Boolean)),
    language: found[0]!.language,
  }
}

/** Each part by an index of its own; the newest record first. */
async function findRecords(
  tx: Tx,
  { ids, users, emails }: { ids: string[]; users: string[]; emails: string[] },
): Promise<Known[]> {
  const { rows } = await sql<Known>`
    select id, user_id, email_key as email,
      array(select a.email_key from contacts.contact_addresses a
        where a.workspace_id = contacts.workspace_id and a.contact_id = contacts.id) as addresses, array_remove(array[phone, phone_key], null) as phones,
      trim(first_name || ' ' || last_name) as name, language
    from contacts.contacts where id in (
      select id from contacts.contacts where id = any(${ids}::uuid[])
      union select id from contacts.contacts where merged_into = any(${ids}::uuid[])
      union select merged_into from contacts.contacts where id = any(${ids}::uuid[])
      union select contact_id from contacts.contact_addresses where email_key = any(${emails}::text[])
      union select id from contacts.contacts where user_id = any(${users}::uuid[])
      union select id from contacts.contacts where email_key = any(${emails}::text[]) and deleted_at is null
      union select id from contacts.contacts where email_key = any(${emails}::text[]) and deleted_at is not null)
    order by id desc`.execute(tx.sql)
  return rows
}

function distinct(texts: string[]): string[] {
  return [...new Set(texts)]
}
