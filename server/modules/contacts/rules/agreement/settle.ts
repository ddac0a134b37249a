/** Puts random people into the database, with all that rules ask of them. */

import type { Tx } from '#platform/db/db.ts'
import { newId } from '#platform/ids.ts'
import type { Rule } from '../rule.ts'
import { tagNames, type Person, type Timed } from './people.ts'

export async function settle(tx: Tx, people: Person[]) {
  const whole = people.map((each, index) => ({ ...each, id: newId(), email: `${each.email}${index}@x.example` }))
  await insertContacts(tx, whole)
  const lists = await insertLists(tx, whole)
  await insertTags(tx, whole)
  await insertTimeline(tx, whole)
  return { whole, lists }
}

function timeOf(tx: Tx, hour: number): Date {
  return new Date(Math.round(tx.now.getTime() + hour * 3_600_000))
}

async function insertContacts(tx: Tx, whole: Timed[]): Promise<void> {
  const at = (hour: number | null) => (hour === null ? null : timeOf(tx, hour))
  const rows = whole.map(({ tags: _tags, lists: _lists, consents: _consents, entries: _entries, ...columns }) => ({
    ...columns,
    workspace_id: tx.workspaceId,
    gender: columns.gender as 'male' | null,
    status: columns.status as 'active',
    phone_key: columns.phone?.startsWith('+') ? columns.phone.replaceAll(' ', '') : null,
    custom_fields: JSON.stringify(columns.custom_fields),
    created_at: timeOf(tx, columns.created_at),
    subscribed_at: at(columns.subscribed_at),
    last_email_opened_at: at(columns.last_email_opened_at),
    last_booking_date: at(columns.last_booking_date),
  }))
  await tx.sql.insertInto('contacts.contacts').values(rows).execute()
}

async function insertLists(tx: Tx, whole: Timed[]): Promise<Record<string, string>> {
  const lists: Record<string, string> = { one: newId(), two: newId(), gone: newId() }
  for (const [name, id] of Object.entries(lists)) {
    const deleted_at = name === 'gone' ? tx.now : null
    await tx.sql.insertInto('contacts.lists').values({ workspace_id: tx.workspaceId, id, name, deleted_at }).execute()
    const members = whole.filter((each) => each.lists.includes(name))
    const rows = members.map((each) => ({ workspace_id: tx.workspaceId, list_id: id, contact_id: each.id }))
    if (rows.length) await tx.sql.insertInto('contacts.list_members').values(rows).execute()
  }
  return lists
}

async function insertTags(tx: Tx, whole: Timed[]): Promise<void> {
  for (const name of tagNames) {
    const id = newId()
    await tx.sql.insertInto('contacts.tags').values({ workspace_id: tx.workspaceId, id, name, slug: id }).execute()
    const tagged = whole.filter((each) => each.tags.includes(name))
    const rows = tagged.map((each) => ({ workspace_id: tx.workspaceId, tag_id: id, contact_id: each.id }))
    if (rows.length) await tx.sql.insertInto('contacts.contact_tags').values(rows).execute()
  }
}

async function insertTimeline(tx: Tx, whole: Timed[]): Promise<void> {
  const row = (who: Timed) => ({ workspace_id: tx.workspaceId, id: newId(), contact_id: who.id })
  const entries = whole.flatMap((each) =>
    each.entries.map((entry) => ({
      ...row(each),
      interaction_type: entry.type,
      occurred_at: timeOf(tx, entry.at),
      metadata: JSON.stringify(entry.machine ? { machine: true } : {}),
      campaign_id: entry.campaign,
      booking_id: entry.booking,
    })),
  )
  if (entries.length) await tx.sql.insertInto('contacts.interactions').values(entries).execute()
  const consents = whole.flatMap((each) =>
    each.consents.map(({ purpose, decision, at }) => ({
      ...row(each),
      purpose,
      decision: decision as 'granted',
      source: 'api',
      evidence: '{}',
      recorded_at: timeOf(tx, at),
    })),
  )
  if (consents.length) await tx.sql.insertInto('contacts.consents').values(consents).execute()
}

/** Random rules name lists by words until the lists are there. */
export function withLists(rule: Rule, lists: Record<string, string>): Rule {
  if ('all' in rule) return { all: rule.all.map((one) => withLists(one, lists)) }
  if ('any' in rule) return { any: rule.any.map((one) => withLists(one, lists)) }
  if ('not' in rule) return { not: withLists(rule.not, lists) }
  if ('event' in rule || !rule.field.startsWith('list') || !rule.value) return rule
  return { ...rule, value: (rule.value as string[]).map((name) => lists[name]) }
}
