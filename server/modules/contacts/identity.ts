/**
 * One resolver for everything that knows a person by e-mail: forms, bookings, orders, tickets. It finds the contact or
 * makes it; a hundred at once make one. A deleted contact does not come back by this: the person is new to us again.
 */
import { sql } from 'kysely'
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { Invalid } from '#platform/errors.ts'
import { newId } from '#platform/ids.ts'
import { isEmail } from '#platform/http/validation.ts'
import { publishContacts } from './contact-events.ts'
import { recordInteractions } from './interactions.ts'
import { splitFullName } from './names.ts'
import type { Contact } from './tables.ts'

export interface Person {
  email: string
  first_name?: string
  last_name?: string
  full_name?: string
  company?: string | null
  phone?: string | null
  phone_key?: string | null
  language?: string
  source: string
}

export interface Resolved {
  contact: Contact
  created: boolean
  /** A contact with this address was deleted earlier; a person may want to restore that one instead. */
  deletedContactId: string | null
}

/**
 * The insert waits for another transaction that is making the same contact, and then finds theirs; a contact that is there is
 * not locked, so nobody waits for anybody else. What is known already is not overwritten, only what is empty is filled.
 */
export async function resolveContact(tx: Tx, actor: Actor, person: Person): Promise<Resolved> {
  const email = person.email.trim()
  if (!isEmail(email)) throw Invalid.at('/email', 'format', 'This is not a valid email.')
  const name = person.full_name ? splitFullName(person.full_name) : {}
  const known: Known = { ...name, ...givenOf(person) }
  for (;;) {
    const found = await findByEmail(tx, email)
    if (found) return { contact: await fillGaps(tx, actor, found, known), created: false, deletedContactId: null }
    const made = await tx.sql
      .insertInto('contacts.contacts')
      .values({ ...known, email, source: person.source, workspace_id: tx.workspaceId, id: newId() })
      .onConflict((conflict) =>
        conflict.columns(['workspace_id', 'email_key']).where('deleted_at', 'is', null).doNothing(),
      )
      .returningAll()
      .executeTakeFirst()
    if (!made) continue // somebody else's is committed by now: found in the next round
    await publishContacts(tx, 'created', [made])
    await recordInteractions(tx, [
      { contactId: made.id, type: 'contact_created', metadata: { source: person.source }, actor },
    ])
    return { contact: made, created: true, deletedContactId: await findDeleted(tx, email) }
  }
}

async function findByEmail(tx: Tx, email: string): Promise<Contact | undefined> {
  return tx.sql
    .selectFrom('contacts.contacts')
    .selectAll()
    .where('email_key', '=', sql<string>`lower(${email})`)
    .where('deleted_at', 'is', null)
    .executeTakeFirst()
}

async function findDeleted(tx: Tx, email: string): Promise<string | null> {
  const row = await tx.sql
    .selectFrom('contacts.contacts')
    .select('id')
    .where('email_key', '=', sql<string>`lower(${email})`)
    .where('deleted_at', 'is not', null)
    .orderBy('deleted_at', 'desc')
    .executeTakeFirst()
  return row?.id ?? null
}

const fillable = ['first_name', 'last_name', 'company', 'phone', 'phone_key'] as const
type Known = Partial<Record<(typeof fillable)[number] | 'language', string>>

function givenOf(person: Person): Known {
  const wanted = [...fillable, 'language'] as const
  return Object.fromEntries(wanted.flatMap((field) => (person[field] ? [[field, person[field]]] : [])))
}

async function fillGaps(tx: Tx, actor: Actor, contact: Contact, known: Known): Promise<Contact> {
  // A first name that is known stands alone: half of another spelling would not fit it.
  const nameKnown = contact.first_name !== '' || contact.last_name !== ''
  const gaps = fillable.filter((field) => {
    if (nameKnown && (field === 'first_name' || field === 'last_name')) return false
    return known[field] && !contact[field]
  })
  if (!gaps.length) return contact
  const filled = await tx.sql
    .updateTable('contacts.contacts')
    .set(Object.fromEntries(gaps.map((field) => [field, known[field]])))
    .where('id', '=', contact.id)
    .returningAll()
    .executeTakeFirstOrThrow()
  const changed = gaps.filter((field) => field !== 'phone_key')
  await publishContacts(tx, 'updated', [filled], { changed })
  await recordInteractions(tx, [{ contactId: contact.id, type: 'contact_updated', metadata: { changed }, actor }])
  return filled
}
