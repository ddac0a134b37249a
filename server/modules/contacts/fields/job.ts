/**
 * Makes stored values and their copies fit a field's definition, contact by contact in the order of their ids, one batch a
 * transaction; starts again where it stopped. A job that another one has overtaken still rewrites values, and leaves the
 * copies to the other.
 */
import { sql } from 'kysely'
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { refreshStatistics } from '#platform/db/statistics.ts'
import type { Job, JobDefinition } from '#platform/jobs/job.ts'
import { publishContacts, type ContactFacts } from '../contact-events.ts'
import { recordInteractions } from '../interactions.ts'
import type { Replacements } from './stored-values.ts'
import type { CustomField } from './tables.ts'

export const customFieldJob: JobDefinition = {
  kind: 'contacts.custom_field',
  retryLimit: 5,
  concurrency: 1,
  run: fitValues,
}

const batchSize = 2_000

interface Work {
  field_id: string
  actor: Actor
  convert?: boolean
  replace?: Replacements
}

interface Progress {
  afterId: string
  done: number
  changed: number
}

async function fitValues(job: Job): Promise<object> {
  const work = job.data as unknown as Work
  let state = job.cursor as Progress | null
  if (!state) {
    await job.transaction(waitForWriters)
    const total = await job.transaction(estimateContacts)
    state = { afterId: '00000000-0000-0000-0000-000000000000', done: 0, changed: 0 }
    await job.transaction((tx) => job.checkpoint(tx, { total, done: 0 }))
  }
  for (;;) {
    const reached: Progress = state
    const next = await job.transaction(async (tx) => {
      const batch = await fitBatch(tx, job, work, reached)
      if (batch) await job.checkpoint(tx, { cursor: batch, done: batch.done })
      return batch
    })
    if (!next) return { contacts: state.done, changed: state.changed }
    state = next
  }
}

/** Whoever began to write before the definition changed, and copied nothing or the old way, has ended after this. */
async function waitForWriters(tx: Tx): Promise<void> {
  await sql`select pg_advisory_xact_lock(7276774, hashtext(${tx.workspaceId}))`.execute(tx.sql)
}

async function estimateContacts(tx: Tx): Promise<number> {
  const { rows } = await sql<{ count: number }>`select count(*) as count from contacts.contacts`.execute(tx.sql)
  return rows[0]!.count
}

/** Answers how far it came; null at the end, when the copies are declared complete. */
async function fitBatch(tx: Tx, job: Job, work: Work, reached: Progress): Promise<Progress | null> {
  // Shared: the definition stays as it is during the batch, and so does which job makes the copies.
  const { rows: fields } = await sql<CustomField>`
    select * from contacts.custom_fields where id = ${work.field_id} for share`.execute(tx.sql)
  const [field] = fields
  if (!field) return null
  const isCurrent = field.job_id === job.id
  const wantsCopies = isCurrent && field.filterable && !field.deleted_at
  const { rows } = await sql<{ id: string }>`
    select id from contacts.contacts where workspace_id = ${tx.workspaceId} and id > ${reached.afterId}::uuid
    order by id limit ${batchSize} for no key update`.execute(tx.sql)
  if (!rows.length) {
    if (wantsCopies) await declareComplete(tx, field.id)
    return null
  }
  const ids = rows.map(({ id }) => id)
  const changed = work.convert || Object.keys(work.replace ?? {}).length ? await rewriteValues(tx, field, work, ids) : 0
  if (isCurrent) await copyAgain(tx, field, ids, wantsCopies)
  await refreshStatistics(tx, ['contacts.custom_values'])
  return { afterId: ids.at(-1)!, done: reached.done + ids.length, changed: reached.changed + changed }
}

/** A value that was stored meanwhile and cannot be converted stays as it is: nothing is lost. */
async function rewriteValues(tx: Tx, field: CustomField, work: Work, ids: string[]): Promise<number> {
  const value = sql`c.custom_fields -> ${field.key}::text`
  const replaced = sql`contacts.replace_choices(${value}, ${JSON.stringify(work.replace ?? {})}::jsonb)`
  const fitting = work.convert
    ? sql`contacts.convert_custom(${replaced}, ${field.type}, ${JSON.stringify(field.choices)}::jsonb)`
    : replaced
  const { rows } = await sql<ContactFacts>`
    with w as materialized (
      select c.id, ${replaced} is null as gone, coalesce(${fitting}, ${value}) as value
      from contacts.contacts c
      where c.workspace_id = ${tx.workspaceId} and c.id = any(${ids}::uuid[]) and c.custom_fields ? ${field.key}::text)
    update contacts.contacts c
    set custom_fields = case when w.gone then c.custom_fields - ${field.key}::text
      else c.custom_fields || jsonb_build_object(${field.key}::text, w.value) end
    from w
    where c.workspace_id = ${tx.workspaceId} and c.id = w.id and (w.gone or w.value is distinct from ${value})
    returning c.id, c.email, c.first_name, c.last_name`.execute(tx.sql)
  await publishContacts(tx, 'updated', rows, { changed: ['custom_fields'] })
  await recordInteractions(
    tx,
    rows.map(({ id }) => ({
      contactId: id,
      type: 'contact_updated' as const,
      metadata: { changed: ['custom_fields'], field: field.key },
      actor: work.actor,
    })),
  )
  return rows.length
}

async function copyAgain(tx: Tx, field: CustomField, ids: string[], wantsCopies: boolean): Promise<void> {
  await sql`
    delete from contacts.custom_values
    where workspace_id = ${tx.workspaceId} and contact_id = any(${ids}::uuid[]) and field_id = ${field.id}`.execute(
    tx.sql,
  )
  if (!wantsCopies) return
  await sql`
    insert into contacts.custom_values (workspace_id, contact_id, field_id, item, text_key, number_value, date_value)
    select c.workspace_id, c.id, ${field.id}, i.item, i.text_key, i.number_value, i.date_value
    from contacts.contacts c
    cross join lateral contacts.custom_items(${field.type}, c.custom_fields -> ${field.key}::text) i
    where c.workspace_id = ${tx.workspaceId} and c.id = any(${ids}::uuid[]) and c.custom_fields ? ${field.key}::text`.execute(
    tx.sql,
  )
}

async function declareComplete(tx: Tx, id: string): Promise<void> {
  await tx.sql.updateTable('contacts.custom_fields').set({ indexed_at: tx.now }).where('id', '=', id).execute()
  tx.notify('custom_field', { id, status: 'ready' })
}
