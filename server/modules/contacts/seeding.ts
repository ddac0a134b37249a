/**
 * Years of contacts written at once, set-based and with their own dates: for the demo. What the contact's record counts
 * (bookings, orders, opens, score) is counted from its timeline, so the two can never disagree. Nothing is announced by
 * events: what is written here happened before anybody listened.
 */
import { Readable } from 'node:stream'
import { sql } from 'kysely'
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import type { Runtime, Services } from '#platform/services.ts'
import { hashWording } from './consent.ts'
import { refreshFigures } from './facts/figures.ts'
import { seedFacts } from './facts/seeding.ts'
import { planImport } from './import/planning.ts'
import type { DeclaredConsent } from './import/merge/plan.ts'
import { lookAt, recordUpload, storeUpload, type StoredUpload } from './import/uploads.ts'
import { recordInteractions, type NewInteraction } from './interactions.ts'
import { scoreSql } from './score.ts'
import { newId } from '#platform/ids.ts'
import { suppress } from './suppression.ts'
import type { ConsentDecision, ConsentPurpose, ContactStatus, Gender, SuppressionReason } from './tables.ts'

export interface ContactSeed {
  id: string
  email: string
  first_name: string
  last_name: string
  company: string | null
  job_title: string | null
  /** E.164. */
  phone: string | null
  gender: Gender | null
  language: string
  timezone: string
  source: string
  status: ContactStatus
  is_active: boolean
  newsletter_subscribed: boolean
  marketing_subscribed: boolean
  tracking_allowed: boolean
  subscribed_at: Date | null
  unsubscribed_at: Date | null
  custom_fields: Record<string, unknown>
  created_at: Date
  deleted_at: Date | null
}

export interface ConsentSeed {
  contact_id: string
  purpose: ConsentPurpose
  decision: ConsentDecision
  source: string
  wording: string
  ip: string | null
  user_agent: string | null
  evidence: Record<string, unknown>
  actor_name: string
  recorded_at: Date
}

export interface NoteSeed {
  contact_id: string
  content: string
  created_by: string | null
  created_by_name: string
  created_at: Date
}

export interface MembershipSeed {
  /** Of the list, or of the tag. */
  id: string
  contact_id: string
  at: Date
}

export interface ContactsSeed {
  contacts: ContactSeed[]
  listMembers: MembershipSeed[]
  contactTags: MembershipSeed[]
  notes: NoteSeed[]
  consents: ConsentSeed[]
  interactions: NewInteraction[]
  suppressed: Record<Extract<SuppressionReason, 'hard_bounce' | 'complaint' | 'unsubscribe'>, string[]>
}

const batchSize = 5_000

export async function seedContacts(
  tx: Tx,
  services: Pick<Services, 'config' | 'tokens'>,
  seed: ContactsSeed,
): Promise<void> {
  await insertContacts(tx, seed.contacts)
  for (const { table, key, at, rows } of [
    { table: 'contacts.list_members', key: 'list_id', at: 'added_at', rows: seed.listMembers },
    { table: 'contacts.contact_tags', key: 'tag_id', at: 'tagged_at', rows: seed.contactTags },
  ]) {
    await inBatches(rows, (batch) =>
      sql`insert into ${sql.table(table)} (workspace_id, ${sql.ref(key)}, contact_id, ${sql.ref(at)})
        select ${tx.workspaceId}::uuid, id, contact_id, at
        from jsonb_to_recordset(${JSON.stringify(batch)}::jsonb) as row(id uuid, contact_id uuid, at timestamptz)`.execute(
        tx.sql,
      ),
    )
  }
  await inBatches(seed.notes, (batch) => insertNotes(tx, batch))
  await inBatches(seed.consents, (batch) => insertConsents(tx, batch))
  await inBatches(seed.interactions, (batch) => recordInteractions(tx, batch))
  for (const [reason, emails] of Object.entries(seed.suppressed)) {
    await suppress(tx, services, emails, reason as SuppressionReason)
  }
  await seedFacts(tx)
  const ids = seed.contacts.map(({ id }) => id)
  await inBatches(ids, (batch) => countFromTimeline(tx, services, batch), 500)
}

/** Whether anybody is here, deleted ones included. */
export async function hasContacts(tx: Tx): Promise<boolean> {
  const { rows } = await sql`
    select from contacts.contacts where workspace_id = ${tx.workspaceId} limit 1`.execute(tx.sql)
  return rows.length > 0
}

/** Keeps a file as if somebody had uploaded it. No transaction is open: it may be large. */
export async function keepFile(
  services: Runtime,
  workspaceId: string,
  name: string,
  csv: string,
): Promise<StoredUpload> {
  return storeUpload(services, workspaceId, { name, content: Readable.from([Buffer.from(csv)]) })
}

/** The import of that file, with the columns as they are suggested; the worker does it. Answers its id. */
export async function importFile(
  tx: Tx,
  actor: Actor,
  services: Services,
  stored: StoredUpload,
  options: { listId: string | null; tags: string[]; consent: DeclaredConsent },
): Promise<string> {
  const upload = await recordUpload(tx, actor, stored)
  const look = await lookAt(services.files, upload, {})
  const { listId, ...rest } = options
  const row = await planImport(tx, actor, upload, look, {
    ...rest,
    ...(listId ? { list_id: listId } : {}),
    duplicates: 'merge',
  })
  return row.id
}

async function insertContacts(tx: Tx, contacts: ContactSeed[]): Promise<void> {
  await inBatches(contacts, (batch) =>
    sql`
      insert into contacts.contacts (workspace_id, id, email, first_name, last_name, company, job_title, phone, phone_key,
        gender, language, timezone, source, status, is_active, newsletter_subscribed, marketing_subscribed,
        tracking_allowed, subscribed_at, unsubscribed_at, custom_fields, created_at, updated_at, deleted_at)
      select ${tx.workspaceId}::uuid, id, email, first_name, last_name, company, job_title, phone, phone,
        gender, language, timezone, source, status, is_active, newsletter_subscribed, marketing_subscribed,
        tracking_allowed, subscribed_at, unsubscribed_at, custom_fields, created_at, created_at, deleted_at
      from jsonb_to_recordset(${JSON.stringify(batch)}::jsonb) as row(
        id uuid, email text, first_name text, last_name text, company text, job_title text, phone text, gender text,
        language text, timezone text, source text, status text, is_active boolean, newsletter_subscribed boolean,
        marketing_subscribed boolean, tracking_allowed boolean, subscribed_at timestamptz, unsubscribed_at timestamptz,
        custom_fields jsonb, created_at timestamptz, deleted_at timestamptz)`.execute(tx.sql),
  )
}

async function insertNotes(tx: Tx, notes: NoteSeed[]): Promise<void> {
  const rows = notes.map((note) => ({ ...note, id: newId() }))
  await sql`
    insert into contacts.notes (workspace_id, id, contact_id, content, created_by, created_by_name, created_at)
    select ${tx.workspaceId}::uuid, id, contact_id, content, created_by, created_by_name, created_at
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as row(id uuid, contact_id uuid, content text, created_by uuid,
      created_by_name text, created_at timestamptz)`.execute(tx.sql)
  await recordInteractions(
    tx,
    rows.map((note) => ({
      contactId: note.contact_id,
      type: 'note_added' as const,
      description: note.content,
      metadata: { note_id: note.id },
      occurredAt: note.created_at,
      actor: { id: note.created_by, name: note.created_by_name },
    })),
  )
}

async function insertConsents(tx: Tx, consents: ConsentSeed[]): Promise<void> {
  const rows = consents.map((entry) => ({ ...entry, id: newId(), wording_sha256: hashWording(entry.wording) }))
  await sql`
    insert into contacts.consents (workspace_id, id, contact_id, purpose, decision, source, wording, wording_sha256, ip,
      user_agent, evidence, actor_name, recorded_at)
    select ${tx.workspaceId}::uuid, id, contact_id, purpose, decision, source, wording, wording_sha256, ip,
      user_agent, evidence, actor_name, recorded_at
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as row(id uuid, contact_id uuid, purpose text, decision text,
      source text, wording text, wording_sha256 text, ip text, user_agent text, evidence jsonb, actor_name text,
      recorded_at timestamptz)`.execute(tx.sql)
}

async function countFromTimeline(tx: Tx, services: Pick<Services, 'config'>, contactIds: string[]): Promise<void> {
  await sql`
    with counts as (
      select i.contact_id as id,
        count(*) filter (where type = 'email_opened') as total_emails_opened,
        count(*) filter (where type = 'email_clicked') as total_emails_clicked,
        count(*) filter (where type = 'purchase') as total_purchases,
        max(occurred_at) filter (where type = 'email_opened') as last_email_opened_at,
        max(occurred_at) filter (where type = 'email_clicked') as last_email_clicked_at,
        max(occurred_at) filter (where type in ('email_opened', 'email_clicked', 'form_submitted', 'purchase')) as last_engaged_at
      from contacts.interactions i, lateral (select case when metadata ? 'machine' then '' else interaction_type end as type) as t
      where i.workspace_id = ${tx.workspaceId} and i.contact_id = any(${contactIds}::uuid[]) group by i.contact_id)
    update contacts.contacts c
    set total_emails_opened = counts.total_emails_opened, total_emails_clicked = counts.total_emails_clicked,
      total_purchases = counts.total_purchases,
      last_email_opened_at = counts.last_email_opened_at, last_email_clicked_at = counts.last_email_clicked_at,
      last_engaged_at = counts.last_engaged_at,
      engagement_score = ${scoreSql(services.config.engagement, tx.now, 'counts')}
    from counts where c.workspace_id = ${tx.workspaceId} and c.id = counts.id`.execute(tx.sql)
  await refreshFigures(tx, contactIds, { quiet: true })
}

async function inBatches<T>(rows: T[], write: (batch: T[]) => Promise<unknown>, size = batchSize): Promise<void> {
  for (let start = 0; start < rows.length; start += size) await write(rows.slice(start, start + size))
}
