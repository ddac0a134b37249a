/** Rows on their way: a table of the connection's own, emptied at each commit, neither logged nor seen by anybody else. */
import { sql } from 'kysely'
import type { Tx } from '#platform/db/db.ts'
import { refreshStatistics } from '#platform/db/statistics.ts'
import { isSuppressed } from '../../suppression.ts'
import type { StagedColumn } from '../columns.ts'
import type { Keys, MergePlan } from './plan.ts'

const types: Record<StagedColumn, string> = {
  email: 'text',
  first_name: 'text',
  last_name: 'text',
  company: 'text',
  job_title: 'text',
  phone: 'text',
  phone_key: 'text',
  gender: 'text',
  language: 'text',
  timezone: 'text',
  source: 'text',
  notes: 'text',
  avatar_url: 'text',
  status: 'text',
  newsletter_subscribed: 'boolean',
  marketing_subscribed: 'boolean',
  created_at: 'timestamptz',
  updated_at: 'timestamptz',
  lifetime_value: 'numeric',
  total_orders: 'int',
  total_appointments: 'int',
  total_bookings: 'int',
  last_order_date: 'timestamptz',
  last_appointment_date: 'timestamptz',
  last_booking_date: 'timestamptz',
  tag_refs: 'int[]',
  custom_fields: 'jsonb',
}

export async function stage(tx: Tx, columns: readonly StagedColumn[], text: string): Promise<void> {
  const all = Object.entries(types).map(([name, type]) => `${name} ${type}`)
  await tx.rawQuery(`
    create temp table if not exists import_rows (
      line bigint, wave smallint, id uuid, contact_event uuid, customer_event uuid, ${all.join(', ')},
      email_key text generated always as (lower(email)) stored,
      contact_id uuid, changed boolean not null default false, suppressed boolean not null default false
    ) on commit delete rows`)
  await tx.copyIn(
    `copy pg_temp.import_rows (line, wave, id, contact_event, customer_event, ${columns.join(', ')}) from stdin`,
    source(text),
  )
  await tx.rawQuery('analyze pg_temp.import_rows (email_key, wave)')
  await refreshStatistics(tx, ['contacts.contacts'])
}

async function* source(text: string): AsyncGenerator<Buffer> {
  yield Buffer.from(text)
}

export function speaksOfConsent({ columns, consent }: MergePlan): boolean {
  return consent !== null || saysNo(columns)
}

/** Whether a row can say "no" by itself: those rows count in every mode. */
export function saysNo(columns: readonly StagedColumn[]): boolean {
  return (['newsletter_subscribed', 'marketing_subscribed', 'status'] as const).some((name) => columns.includes(name))
}

/** Suppressed addresses are imported, and never subscribed. */
export async function markSuppressed(tx: Tx, services: Keys): Promise<void> {
  const { rows: any } =
    await sql`select from contacts.suppressions where workspace_id = ${tx.workspaceId} limit 1`.execute(tx.sql)
  if (!any.length) return
  const { rows } = await sql<{ email: string }>`select distinct email from pg_temp.import_rows`.execute(tx.sql)
  const emails = rows.map((row) => row.email)
  const suppressed = await isSuppressed(tx, services, emails)
  if (!suppressed.size) return
  await sql`update pg_temp.import_rows set suppressed = true where email = any(${[...suppressed]}::text[])`.execute(
    tx.sql,
  )
}
