/**
 * A contact that changes is judged anew, by those dynamic lists whose rules the change can touch: one statement for a
 * batch of contacts and up to a hundred conditions. The lists are locked before the contacts are looked at, so that a
 * refresh that began earlier cannot put back what was true before.
 */
import { sql } from 'kysely'
import type { Tx } from '#platform/db/db.ts'
import type { Event } from '#platform/events/outbox.ts'
import { isId } from '#platform/ids.ts'
import { when } from '#platform/module.ts'
import { contactData, type ContactFacts } from '../contact-events.ts'
import { compileRule } from '../rules/compile.ts'
import { leavesOf } from '../rules/read.ts'
import { resolveKept, type Resolved } from '../rules/resolve.ts'
import { dependenciesOf } from './criteria.ts'
import { runningLists, type Segment } from './running.ts'
import { isTouched, touchedBy, type Touched } from './touched.ts'

const heard = [
  'contact.created',
  'contact.updated',
  'contact.deleted',
  'contact.merged',
  'contact.unmerged',
  'contact.subscribed',
  'contact.unsubscribed',
  'contact.engagement',
  'tag.applied',
  'tag.removed',
  'list.contact.added',
  'list.contact.removed',
] as const

export const segmentReactions = heard.map((event) => when(event, 'contacts.follow_contacts', followContacts))

async function followContacts(tx: Tx, events: Event[]): Promise<void> {
  const contactIds = [...new Set(events.map((event) => event.data.contact_id))].filter(
    (id): id is string => typeof id === 'string' && isId(id),
  )
  const concerned = concernedBy(events.map(touchedBy), await runningLists(tx))
  if (!contactIds.length || !concerned.length) return
  await judge(tx, concerned, contactIds)
}

function concernedBy(touched: Touched[], lists: Segment[]): string[] {
  return lists.flatMap((list) => {
    const dependencies = dependenciesOf(list.criteria)
    return dependencies && touched.some((one) => isTouched(dependencies, one)) ? [list.id] : []
  })
}

/** Puts these contacts into, and takes them out of, these lists as their rules say now. */
export async function judge(tx: Tx, listIds: string[], contactIds: string[]): Promise<void> {
  const lists = await runningLists(tx, { ids: listIds, lock: true })
  const ruled: { list: Segment; rule: Resolved }[] = []
  for (const list of lists) ruled.push({ list, rule: await resolveKept(tx, list.criteria, '/criteria') })
  for (const some of inStatements(ruled)) await settle(tx, some, contactIds)
}

const leavesPerStatement = 100

function inStatements(ruled: { list: Segment; rule: Resolved }[]) {
  const statements: (typeof ruled)[] = []
  let leaves = Infinity
  for (const each of ruled) {
    const own = leavesOf(each.rule.root).length
    if (leaves + own > leavesPerStatement) {
      statements.push([])
      leaves = 0
    }
    leaves += own
    statements.at(-1)!.push(each)
  }
  return statements
}

interface Moved extends ContactFacts {
  event: 'list.contact.added' | 'list.contact.removed'
  list_id: string
}

async function settle(tx: Tx, ruled: { list: Segment; rule: Resolved }[], contactIds: string[]): Promise<void> {
  const matched = ruled.map(
    ({ list, rule }) =>
      sql`select ${list.id}::uuid as list_id, c.id as contact_id from batch c where ${compileRule(rule)}`,
  )
  const { rows } = await sql<Moved>`
    with batch as materialized (
      select c.* from contacts.contact_rows c where c.id = any(${contactIds}::uuid[]) and c.deleted_at is null),
    matched as materialized (${sql.join(matched, sql` union all `)}),
    removed as (
      delete from contacts.list_members own
      where own.workspace_id = ${tx.workspaceId} and own.list_id = any(${ruled.map(({ list }) => list.id)}::uuid[])
        and own.contact_id = any(${contactIds}::uuid[])
        and not exists (select from matched where matched.list_id = own.list_id and matched.contact_id = own.contact_id)
      returning own.list_id, own.contact_id),
    added as (
      insert into contacts.list_members (workspace_id, list_id, contact_id)
      select ${tx.workspaceId}::uuid, list_id, contact_id from matched on conflict do nothing
      returning list_id, contact_id),
    moved as (
      select 'list.contact.removed' as event, list_id, contact_id from removed
      union all select 'list.contact.added', list_id, contact_id from added)
    select moved.event, moved.list_id, c.id, c.email, c.first_name, c.last_name
    from moved join contacts.contacts c on c.workspace_id = ${tx.workspaceId} and c.id = moved.contact_id`.execute(
    tx.sql,
  )
  const names = new Map(ruled.map(({ list }) => [list.id, list.name]))
  await tx.publishAll(
    rows.map((row) => ({
      event: row.event,
      subject: row.id,
      data: { list_id: row.list_id, list_name: names.get(row.list_id), ...contactData(row) },
    })),
  )
}
