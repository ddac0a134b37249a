/**
 * Takes an import back: whom it made goes, what it changed becomes what it was. Whoever somebody has worked with since
 * stays as they are, and is counted. Batch by batch, each leaving nothing of itself to do, so it can be interrupted.
 */
import { sql } from 'kysely'
import type { Tx } from '#platform/db/db.ts'
import type { Keys } from './merge/plan.ts'
import type { Job, JobDefinition } from '#platform/jobs/job.ts'
import { NotFound } from '#platform/errors.ts'
import { publishContacts, type ContactFacts } from '../contact-events.ts'
import { adoptFigures } from '../facts/figures.ts'
import { recordInteractions } from '../interactions.ts'
import { importer, type Import } from './job.ts'
import { liftSuppressions, takeBackConsent } from './undo-consent.ts'

export const undoJob: JobDefinition = { kind: 'contacts.import_undo', retryLimit: 5, concurrency: 1, run: undo }

const batchSize = 2_000

interface Progress {
  /** Contacts made by the import are gone through in the order of their ids. */
  afterId: string | null
  removed: number
  restored: number
  kept: number
}

async function undo(job: Job): Promise<object> {
  const importId = String(job.data.import_id)
  let progress = (job.cursor as Progress | null) ?? { afterId: null, removed: 0, restored: 0, kept: 0 }
  for (const step of [
    (tx: Tx, row: Import, now: Progress) => removeBatch(tx, job.runtime, row, now),
    (tx: Tx, row: Import, now: Progress) => restoreBatch(tx, job.runtime, row, now),
  ]) {
    for (let more = true; more;) {
      await job.transaction(async (tx) => {
        const row = await lockImport(tx, importId)
        const next = await step(tx, row, progress)
        more = next !== null
        if (!next) return
        await job.checkpoint(tx, { cursor: next, done: next.removed + next.restored + next.kept })
        progress = next
      })
    }
  }
  const { removed, restored, kept } = progress
  await job.transaction(async (tx) => {
    await tx.sql.updateTable('contacts.imports').set({ undone_at: tx.now }).where('id', '=', importId).execute()
    tx.notify('import', { id: importId, status: 'undone', removed, restored, kept })
  })
  return { import_id: importId, removed, restored, kept }
}

async function lockImport(tx: Tx, id: string): Promise<Import> {
  const row = await tx.sql
    .selectFrom('contacts.imports')
    .selectAll()
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst()
  if (!row) throw new NotFound('import')
  return row
}

/** Soft-deletes those whom the import made and nobody touched; their places in lists and tags go, so that counts are as before. */
async function removeBatch(tx: Tx, services: Keys, row: Import, progress: Progress): Promise<Progress | null> {
  const { rows: made } = await sql<ContactFacts & { touched: boolean; deleted_at: Date | null }>`
    select c.id, c.email, c.first_name, c.last_name, c.company, c.source, c.deleted_at,
      c.version <> coalesce(i.version_after, 1)
        or exists (select from contacts.interactions t where t.workspace_id = c.workspace_id and t.contact_id = c.id
          and t.recorded_at > ${lastWrite(row)})
        or exists (select from contacts.notes n where n.workspace_id = c.workspace_id and n.contact_id = c.id) as touched
    from contacts.contacts c
    left join contacts.import_changes i
      on i.workspace_id = c.workspace_id and i.import_id = c.import_id and i.contact_id = c.id
    where c.workspace_id = ${tx.workspaceId} and c.import_id = ${row.id}
      and c.id > ${progress.afterId ?? '00000000-0000-0000-0000-000000000000'}::uuid
    order by c.id limit ${batchSize} for update of c`.execute(tx.sql)
  if (!made.length) return null
  const gone = made.filter((contact) => !contact.touched && !contact.deleted_at)
  const ids = gone.map((contact) => contact.id)
  await liftSuppressions(tx, services, row, ids)
  await sql`delete from contacts.list_members where workspace_id = ${tx.workspaceId} and contact_id = any(${ids}::uuid[])`.execute(
    tx.sql,
  )
  await sql`delete from contacts.contact_tags where workspace_id = ${tx.workspaceId} and contact_id = any(${ids}::uuid[])`.execute(
    tx.sql,
  )
  await sql`update contacts.contacts set deleted_at = ${tx.now} where workspace_id = ${tx.workspaceId} and id = any(${ids}::uuid[])`.execute(
    tx.sql,
  )
  await tellTimeline(tx, row, ids, 'contact_deleted')
  await publishContacts(
    tx,
    'deleted',
    gone.map(({ id, email, first_name, last_name, company, source }) => ({
      id,
      email,
      first_name,
      last_name,
      company,
      source,
    })),
  )
  const kept = made.filter((contact) => contact.touched && !contact.deleted_at).length
  return { ...progress, afterId: made.at(-1)!.id, removed: progress.removed + gone.length, kept: progress.kept + kept }
}

/** What came after this was not the import's own doing. */
function lastWrite(row: Import): Date {
  return row.finished_at ?? new Date()
}

/** The changes that are taken back, or that cannot be, are struck off; what is left over is still to do. */
async function restoreBatch(tx: Tx, services: Keys, row: Import, progress: Progress): Promise<Progress | null> {
  const { rows: changes } = await sql<{ contact_id: string; made: boolean; fits: boolean; has_before: boolean }>`
    select i.contact_id, c.import_id is not distinct from i.import_id as made, i.before is not null as has_before,
      i.version_after is null or c.version = i.version_after as fits
    from contacts.import_changes i
    join contacts.contacts c on c.workspace_id = i.workspace_id and c.id = i.contact_id
    where i.workspace_id = ${tx.workspaceId} and i.import_id = ${row.id}
    order by i.contact_id limit ${batchSize} for update of c`.execute(tx.sql)
  if (!changes.length) return null
  const all = changes.map((change) => change.contact_id)
  const others = changes.filter((change) => !change.made)
  const restorable = others.filter((change) => change.fits).map((change) => change.contact_id)
  await restoreFields(tx, row, restorable)
  await takeBackTags(
    tx,
    row,
    others.map((change) => change.contact_id),
  )
  await takeBackConsent(
    tx,
    services,
    row,
    others.map((change) => change.contact_id),
  )
  await sql`
    delete from contacts.import_changes
    where workspace_id = ${tx.workspaceId} and import_id = ${row.id} and contact_id = any(${all}::uuid[])`.execute(
    tx.sql,
  )
  await tellTimeline(tx, row, restorable, 'contact_updated')
  const { rows: facts } = await sql<ContactFacts>`
    select id, email, first_name, last_name, company, source from contacts.contacts
    where workspace_id = ${tx.workspaceId} and id = any(${restorable}::uuid[]) order by id`.execute(tx.sql)
  await publishContacts(tx, 'updated', facts)
  return {
    ...progress,
    restored: progress.restored + restorable.length,
    kept: progress.kept + others.length - restorable.length,
  }
}

/** Columns that an import can change of a contact that was there. */
const restored = [
  'first_name',
  'last_name',
  'company',
  'job_title',
  'phone',
  'phone_key',
  'gender',
  'language',
  'timezone',
  'source',
  'notes',
  'avatar_url',
  'custom_fields',
  'lifetime_value',
  'total_orders',
  'total_appointments',
  'total_bookings',
  'last_order_date',
  'last_appointment_date',
  'last_booking_date',
  'status',
]

async function restoreFields(tx: Tx, row: Import, ids: string[]): Promise<void> {
  const values = restored.map(
    (name) => `${name} = case when i.before ? '${name}' then (old).${name} else c.${name} end`,
  )
  await tx.rawQuery(
    `update contacts.contacts c set ${values.join(', ')}
     from contacts.import_changes i, lateral jsonb_populate_record(null::contacts.contacts, i.before) as old
     where i.workspace_id = $1 and i.import_id = $2 and i.contact_id = any($3::uuid[]) and i.before is not null
       and c.workspace_id = i.workspace_id and c.id = i.contact_id`,
    [tx.workspaceId, row.id, ids],
  )
  await adoptFigures(tx, ids)
}

async function takeBackTags(tx: Tx, row: Import, ids: string[]): Promise<void> {
  await sql`
    delete from contacts.contact_tags ct using contacts.import_changes i
    where i.workspace_id = ${tx.workspaceId} and i.import_id = ${row.id} and i.contact_id = any(${ids}::uuid[])
      and ct.workspace_id = i.workspace_id and ct.contact_id = i.contact_id and ct.tag_id = any(i.tags_added)`.execute(
    tx.sql,
  )
  await sql`
    insert into contacts.contact_tags (workspace_id, tag_id, contact_id, tagged_at)
    select i.workspace_id, t.id, i.contact_id, ${tx.now}
    from contacts.import_changes i, unnest(i.tags_removed) as tag_id
    join contacts.tags t on t.workspace_id = ${tx.workspaceId} and t.id = tag_id
    where i.workspace_id = ${tx.workspaceId} and i.import_id = ${row.id} and i.contact_id = any(${ids}::uuid[])
    on conflict do nothing`.execute(tx.sql)
  if (!row.list_id) return
  await sql`
    delete from contacts.list_members m using contacts.import_changes i
    where i.workspace_id = ${tx.workspaceId} and i.import_id = ${row.id} and i.contact_id = any(${ids}::uuid[]) and i.listed
      and m.workspace_id = i.workspace_id and m.list_id = ${row.list_id} and m.contact_id = i.contact_id`.execute(
    tx.sql,
  )
}

async function tellTimeline(
  tx: Tx,
  row: Import,
  ids: string[],
  type: 'contact_deleted' | 'contact_updated',
): Promise<void> {
  const actor = importer(row)
  const entry = {
    type,
    description: `Import undone: ${row.file_name}`,
    metadata: { import_id: row.id, undone: true },
    actor,
  }
  await recordInteractions(
    tx,
    ids.map((contactId) => ({ ...entry, contactId })),
  )
}
