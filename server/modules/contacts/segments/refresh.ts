/**
 * Makes the members of a dynamic list whom its rule finds: first those who do not fit any more leave, then those who
 * are missing come, page by page in the order of their ids. Each page locks the list and is one statement, a difference
 * and no rebuilding: who stays is not touched, and the memory it takes does not depend on the size of the list.
 */
import { sql, type RawBuilder } from 'kysely'
import type { Tx } from '#platform/db/db.ts'
import { refreshStatistics } from '#platform/db/statistics.ts'
import { publishBundles } from '#platform/events/outbox.ts'
import { compileRule } from '../rules/compile.ts'
import { resolveKept } from '../rules/resolve.ts'
import { runningLists, type Segment } from './running.ts'

export interface Refreshing {
  phase: 'removing' | 'adding' | 'done'
  afterId: string | null
  added: number
  removed: number
}

export const beginning: Refreshing = { phase: 'removing', afterId: null, added: 0, removed: 0 }
const pageSize = 5_000

/** One page; answers how far it came. A list that is paused or gone is done with. */
export async function refreshPage(tx: Tx, listId: string, state: Refreshing): Promise<Refreshing> {
  const [list] = await runningLists(tx, { ids: [listId], lock: true })
  if (!list || state.phase === 'done') return { ...state, phase: 'done' }
  // Of a table that grew since anybody looked, a plan can be wrong a thousandfold.
  await refreshStatistics(tx, ['contacts.contacts', 'contacts.list_members'])
  const rule = compileRule(await resolveKept(tx, list.criteria, '/criteria'))
  if (state.phase === 'removing') {
    const removed = await removePage(tx, list, rule, state.afterId)
    await announce(tx, list, 'removed', removed)
    return after({ ...state, removed: state.removed + removed.length }, removed, 'adding')
  }
  const added = await addPage(tx, list, rule, state.afterId)
  await announce(tx, list, 'added', added)
  const reached = after({ ...state, added: state.added + added.length }, added, 'done')
  if (reached.phase === 'done') {
    await tx.sql.updateTable('contacts.lists').set({ last_refreshed_at: tx.now }).where('id', '=', listId).execute()
  }
  return reached
}

/** A page that is not full was the last of its phase. */
function after(state: Refreshing, moved: string[], next: 'adding' | 'done'): Refreshing {
  if (moved.length < pageSize) return { ...state, phase: next, afterId: null }
  return { ...state, afterId: moved.at(-1)! }
}

/** How many would come and go. */
export async function countChanges(tx: Tx, listId: string): Promise<number> {
  const [list] = await runningLists(tx, { ids: [listId] })
  if (!list) return 0
  await refreshStatistics(tx, ['contacts.contacts', 'contacts.list_members'])
  const rule = compileRule(await resolveKept(tx, list.criteria, '/criteria'), 'whole')
  const { rows } = await sql<{ count: number }>`
    select (select count(*) ${staleFrom(tx, list, rule)}) + (select count(*) ${missingFrom(list, rule)}) as count`.execute(
    tx.sql,
  )
  return rows[0]!.count
}

async function removePage(tx: Tx, list: Segment, rule: RawBuilder<boolean>, afterId: string | null): Promise<string[]> {
  const { rows } = await sql<{ contact_id: string }>`
    with stale as materialized (
      select own.contact_id ${staleFrom(tx, list, rule)} ${afterId ? sql`and own.contact_id > ${afterId}::uuid` : sql``}
      order by own.contact_id limit ${pageSize})
    delete from contacts.list_members m
    where m.workspace_id = ${tx.workspaceId} and m.list_id = ${list.id}
      and m.contact_id = any(array(select contact_id from stale))
    returning m.contact_id`.execute(tx.sql)
  return rows.map((row) => row.contact_id).toSorted()
}

async function addPage(tx: Tx, list: Segment, rule: RawBuilder<boolean>, afterId: string | null): Promise<string[]> {
  const { rows } = await sql<{ contact_id: string }>`
    with missing as materialized (
      select c.id ${missingFrom(list, rule)} ${afterId ? sql`and c.id > ${afterId}::uuid` : sql``}
      order by c.id limit ${pageSize})
    insert into contacts.list_members (workspace_id, list_id, contact_id)
    select ${tx.workspaceId}::uuid, ${list.id}::uuid, id from missing returning contact_id`.execute(tx.sql)
  return rows.map((row) => row.contact_id).toSorted()
}

/** `offset 0`: one probe for each. What a list's size is while it fills, the planner cannot know, and a join may go wrong. */
function staleFrom(tx: Tx, list: Segment, rule: RawBuilder<boolean>): RawBuilder<unknown> {
  return sql`from contacts.list_members own
    where own.workspace_id = ${tx.workspaceId} and own.list_id = ${list.id} and not exists (
      select from contacts.contact_rows c where c.id = own.contact_id and c.deleted_at is null and ${rule} offset 0)`
}

function missingFrom(list: Segment, rule: RawBuilder<boolean>): RawBuilder<unknown> {
  return sql`from contacts.contact_rows c
    where c.deleted_at is null and ${rule} and not exists (
      select from contacts.list_members own
      where own.workspace_id = c.workspace_id and own.list_id = ${list.id} and own.contact_id = c.id offset 0)`
}

/** In bundles: a segment may gain a million people at once. Their timelines stay quiet, see docs/decisions/0018. */
async function announce(tx: Tx, list: Segment, what: 'added' | 'removed', contactIds: string[]): Promise<void> {
  if (!contactIds.length) return
  await publishBundles(
    tx,
    list.id,
    sql`
      select ${`list.contact.${what}`}::text, gen_random_uuid(), c.id,
        jsonb_build_object('list_id', ${list.id}::text, 'list_name', ${list.name}::text, 'contact_id', c.id,
          'customer_id', c.id, 'email', c.email, 'first_name', c.first_name, 'last_name', c.last_name,
          'full_name', trim(c.first_name || ' ' || c.last_name)),
        row_number() over (order by c.id)
      from contacts.contacts c where c.workspace_id = ${tx.workspaceId} and c.id = any(${contactIds}::uuid[])`,
  )
}
