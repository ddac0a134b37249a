/** The events about contacts, under both names where the documents have two; always whole batches. */
import { sql } from 'kysely'
import type { Tx } from '#platform/db/db.ts'
import { publishBundles, type NewEvent } from '#platform/events/outbox.ts'
import { newId } from '#platform/ids.ts'
import { joinFullName } from './names.ts'
import { operationOf } from './operations/record.ts'

export interface ContactFacts {
  id: string
  email: string
  first_name: string
  last_name: string
  company?: string | null
  source?: string | null
}

const names = {
  created: ['contact.created', 'customer.created'],
  updated: ['contact.updated', 'customer.updated'],
  deleted: ['contact.deleted', 'customer.deleted'],
} as const

/** `more` is added to the data of each, such as the names of the fields that changed. */
export async function publishContacts(
  tx: Tx,
  what: keyof typeof names,
  contacts: ContactFacts[],
  more: object = {},
): Promise<void> {
  const events = contacts.flatMap((contact) =>
    names[what].map((event): NewEvent => ({ event, subject: contact.id, data: { ...contactData(contact), ...more } })),
  )
  await publishMany(tx, events)
}

/** From so many on, events share rows of the outbox (docs/decisions/0011). */
const bundledFrom = 200

/** For sets of any size. */
export async function publishMany(tx: Tx, events: NewEvent[]): Promise<void> {
  if (events.length < bundledFrom) return tx.publishAll(events)
  const numbers = new Map<string, number>()
  const rows = events.map(({ event, subject, data }) => {
    const number = numbers.get(event) ?? 0
    numbers.set(event, number + 1)
    return { event, id: newId(), subject, data, number }
  })
  await publishBundles(
    tx,
    operationOf(tx) ?? tx.workspaceId,
    sql`select event, id, subject, data, number from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
      as told(event text, id uuid, subject text, data jsonb, number bigint)`,
  )
}

/** Document 1 says `contact_id`, document 4 `customer_id`; they are one id. */
export function contactData(contact: ContactFacts): object {
  return {
    contact_id: contact.id,
    customer_id: contact.id,
    email: contact.email,
    first_name: contact.first_name,
    last_name: contact.last_name,
    full_name: joinFullName(contact),
    ...(contact.company === undefined ? {} : { company: contact.company }),
    ...(contact.source === undefined ? {} : { source: contact.source }),
  }
}
