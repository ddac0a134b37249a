/**
 * One action on many contacts: a job that goes through them in the order of their ids, one batch a transaction, and starts
 * again where it stopped. Who is meant is told by ids or by a filter; `dry_run` only counts.
 */
import { sql } from 'kysely'
import { Type, type Static } from 'typebox'
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import type { Services } from '#platform/services.ts'
import { Invalid } from '#platform/errors.ts'
import type { Job, JobDefinition } from '#platform/jobs/job.ts'
import { Closed, Id, OneOf } from '#platform/http/shapes.ts'
import { recordConsent } from './consent.ts'
import { fromMatching } from './contact-query.ts'
import { deleteContacts, restoreContacts } from './contact-removal.ts'
import { beginExport } from './export/exports.ts'
import { exportParams } from './export/requests.ts'
import { checkFilter, toFilter, ViewedFilterOrRule } from './given-filter.ts'
import { getList, requireStatic } from './lists.ts'
import { deleteMembers, insertMembers } from './membership.ts'
import { tagContacts, untagContacts } from './tagging.ts'
import { ensureTags } from './tags.ts'

const actions = [
  'add_tag',
  'remove_tag',
  'add_to_list',
  'remove_from_list',
  'subscribe',
  'unsubscribe',
  'delete',
  'restore',
  'export',
] as const
type Action = (typeof actions)[number]

export const BulkAction = Closed({
  action: OneOf(actions),
  contact_ids: Type.Optional(Type.Array(Id, { minItems: 1, maxItems: 50_000 })),
  filter: Type.Optional(ViewedFilterOrRule),
  params: Type.Optional(
    Closed({
      tag: Type.Optional(Type.String({ minLength: 1, maxLength: 100, description: 'Name; made when it is new' })),
      list_id: Type.Optional(Id),
      type: Type.Optional(OneOf(['newsletter', 'marketing', 'all'])),
      ...exportParams,
    }),
  ),
  dry_run: Type.Optional(Type.Boolean()),
})
export type BulkAction = Static<typeof BulkAction>

/** How many contacts the action would go through. */
export async function countMeant(tx: Tx, bulk: BulkAction): Promise<number> {
  const from = await fromMeant(tx, bulk)
  const { rows } = await sql<{ count: number }>`select count(*) as count ${from}`.execute(tx.sql)
  return rows[0]!.count
}

/** Checks what can be known in advance, and answers the id of the job. */
export async function startBulk(tx: Tx, actor: Actor, bulk: BulkAction): Promise<string> {
  await checkBulk(tx, bulk)
  if (bulk.action === 'export') return beginBulkExport(tx, actor, bulk)
  const total = await countMeant(tx, bulk)
  return tx.enqueue('contacts.bulk', { ...bulk, actor }, { createdBy: actor.id, total })
}

/** Who is meant, and what the action needs, must be told; a list must be there. */
export async function checkBulk(tx: Tx, bulk: BulkAction): Promise<void> {
  if (Boolean(bulk.contact_ids) === Boolean(bulk.filter)) {
    throw Invalid.at('/contact_ids', 'required', 'Say who is meant: either contact_ids or filter.')
  }
  await checkFilter(tx, bulk.filter, '/filter')
  const { tag, list_id, type } = bulk.params ?? {}
  if (bulk.action.endsWith('_tag') && !tag?.trim()) throw Invalid.at('/params/tag', 'required', 'Which tag?')
  if (bulk.action.endsWith('_list') && !list_id) throw Invalid.at('/params/list_id', 'required', 'Which list?')
  if (bulk.action.endsWith('subscribe') && !type) throw Invalid.at('/params/type', 'required', 'Subscribed to what?')
  if (list_id) {
    const list = await getList(tx, list_id).catch(() => {
      throw Invalid.at('/params/list_id', 'not_found', 'There is no such list here.')
    })
    requireStatic(list)
  }
}

const batchSize = 2_000

export const bulkJob: JobDefinition = { kind: 'contacts.bulk', retryLimit: 5, concurrency: 1, run: runBulk }

async function runBulk(job: Job): Promise<object> {
  const { actor, ...bulk } = job.data as unknown as BulkAction & { actor: Actor }
  let state = (job.cursor as Progress | null) ?? { afterId: null, done: 0, changed: 0 }
  for (;;) {
    const next = await job.transaction(async (tx) => {
      const ids = await nextBatch(tx, bulk, state.afterId)
      if (!ids.length) return null
      const changed = await act(tx, actor, bulk, ids, job.runtime)
      const reached = { afterId: ids.at(-1)!, done: state.done + ids.length, changed: state.changed + changed }
      await job.checkpoint(tx, { cursor: reached, done: reached.done })
      return reached
    })
    if (!next) return { matched: state.done, changed: state.changed }
    state = next
  }
}

interface Progress {
  afterId: string | null
  done: number
  changed: number
}

async function nextBatch(tx: Tx, bulk: BulkAction, afterId: string | null): Promise<string[]> {
  const from = await fromMeant(tx, bulk)
  const { rows } = await sql<{ id: string }>`
    select c.id ${from} ${afterId ? sql`and c.id > ${afterId}::uuid` : sql``}
    order by c.id limit ${batchSize}`.execute(tx.sql)
  return rows.map((row) => row.id)
}

/** Restoring is about the deleted ones, everything else about the others. */
async function fromMeant(tx: Tx, { action, contact_ids, filter }: BulkAction) {
  const from = await fromMatching(tx, { ...toFilter(filter), deleted: action === 'restore' })
  return contact_ids ? sql`${from} and c.id = any(${contact_ids}::uuid[])` : from
}

/** Answers how many contacts changed; each case is set-based and safe to repeat. */
async function act(tx: Tx, actor: Actor, bulk: BulkAction, ids: string[], services: Services): Promise<number> {
  const { tag, list_id, type } = bulk.params ?? {}
  switch (bulk.action) {
    case 'add_tag':
      return (await tagContacts(tx, actor, await tagIds(tx, actor, tag), ids)).length
    case 'remove_tag':
      return (await untagContacts(tx, actor, await tagIds(tx, actor, tag), ids)).length
    case 'add_to_list':
      return (await insertMembers(tx, actor, list_id ? [list_id] : [], ids)).length
    case 'remove_from_list':
      return (await deleteMembers(tx, actor, list_id ? [list_id] : [], ids)).length
    case 'subscribe':
    case 'unsubscribe':
      return decideFor(tx, actor, ids, { action: bulk.action, type: type ?? 'all' }, services)
    case 'delete':
      return (await deleteContacts(tx, actor, ids)).length
    case 'restore':
      return (await restoreContacts(tx, actor, ids)).length
    case 'export':
      throw new Error('an export is a job of its own')
    default:
      return bulk.action satisfies never
  }
}

async function beginBulkExport(tx: Tx, actor: Actor, { params, contact_ids, filter }: BulkAction): Promise<string> {
  const { format = 'csv', fields } = params ?? {}
  const whom = { ...(contact_ids ? { contact_ids } : {}), ...(filter ? { filter } : {}) }
  const { job_id: jobId } = await beginExport(tx, actor, { format, ...(fields ? { fields } : {}), ...whom })
  return jobId!
}

async function tagIds(tx: Tx, actor: Actor, name: string | undefined): Promise<string[]> {
  return (await ensureTags(tx, actor, name ? [name] : [])).map((tag) => tag.id)
}

async function decideFor(
  tx: Tx,
  actor: Actor,
  ids: string[],
  { action, type }: { action: Extract<Action, 'subscribe' | 'unsubscribe'>; type: 'newsletter' | 'marketing' | 'all' },
  services: Services,
): Promise<number> {
  const purposes = type === 'all' ? (['newsletter', 'marketing'] as const) : [type]
  const decision = action === 'subscribe' ? ('granted' as const) : ('withdrawn' as const)
  const entries = ids.flatMap((contactId) =>
    purposes.map((purpose) => ({ contactId, purpose, decision, source: 'bulk' as const, actor })),
  )
  const { recorded } = await recordConsent(tx, services, entries)
  return new Set(recorded.map((entry) => entry.contactId)).size
}
