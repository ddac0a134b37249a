/**
 * What is done each month with contacts of whom nothing was heard for long. Off until somebody sets it; whoever has orders
 * or bookings is left alone unless the policy says otherwise.
 */
import { sql, type RawBuilder } from 'kysely'
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { checkVersion, Conflict, Invalid } from '#platform/errors.ts'
import type { InactiveAction, InactivePolicy } from './tables.ts'

export interface PolicyInput {
  enabled?: boolean
  inactive_days?: number
  action?: InactiveAction
  tag?: string | null
  exclude_tags?: string[]
  exclude_lists?: string[]
  exclude_with_orders?: boolean
  exclude_with_bookings?: boolean
  exclude_subscribed?: boolean
}
/** The part of a policy that decides who is meant, and what happens. */
export type Policy = Required<PolicyInput>

const unset: Policy = {
  enabled: false,
  inactive_days: 730,
  action: 'deactivate',
  tag: null,
  exclude_tags: [],
  exclude_lists: [],
  exclude_with_orders: true,
  exclude_with_bookings: true,
  exclude_subscribed: false,
}

/** As it stands; before anybody set one, the one that does nothing. */
export async function getPolicy(
  tx: Tx,
): Promise<Pick<InactivePolicy, keyof Policy | 'last_job_id' | 'last_run_at' | 'version'>> {
  const row = await tx.sql.selectFrom('contacts.inactive_policies').selectAll().executeTakeFirst()
  return row ?? { ...unset, last_job_id: null, last_run_at: null, version: 1 }
}

export async function setPolicy(tx: Tx, actor: Actor, input: PolicyInput, ifVersion: number | undefined) {
  await sql`insert into contacts.inactive_policies (workspace_id) values (${tx.workspaceId}) on conflict do nothing`.execute(
    tx.sql,
  )
  const before = await tx.sql.selectFrom('contacts.inactive_policies').selectAll().forUpdate().executeTakeFirstOrThrow()
  checkVersion(before.version, ifVersion)
  const policy = await mergePolicy(tx, input)
  if (!Object.keys(input).length) return before
  const updated = await tx.sql
    .updateTable('contacts.inactive_policies')
    .set(policy)
    .where('workspace_id', '=', tx.workspaceId)
    .returningAll()
    .executeTakeFirstOrThrow()
  await tx.publish('contact.inactive_policy.updated', tx.workspaceId, { ...policy, changed_by: actor.name })
  return updated
}

/** The stored policy with what the input names; throws `Invalid` for one that cannot be carried out. */
export async function mergePolicy(tx: Tx, input: PolicyInput): Promise<Policy> {
  const stored = await getPolicy(tx)
  const names = Object.keys(unset) as (keyof Policy)[]
  const policy = Object.fromEntries(names.map((name) => [name, input[name] ?? stored[name]])) as unknown as Policy
  if (input.tag !== undefined) policy.tag = input.tag?.trim() || null
  if (policy.action === 'tag' && !policy.tag) throw Invalid.at('/tag', 'required', 'Which tag do they get?')
  if (input.exclude_lists?.length) await requireLists(tx, input.exclude_lists)
  return policy
}

/** How many are meant today, and the longest silent of them. */
export async function previewPolicy(tx: Tx, policy: Policy) {
  const from = fromInactive(policy, cutoffOf(policy, tx.now))
  const { rows: counted } = await sql<{ count: number }>`select count(*) as count ${from}`.execute(tx.sql)
  const { rows: sample } = await sql<{ id: string; email: string; full_name: string; last_seen_at: Date }>`
    select c.id, c.email, trim(c.first_name || ' ' || c.last_name) as full_name, ${lastSeen} as last_seen_at
    ${from} order by ${lastSeen}, c.id limit 20`.execute(tx.sql)
  return { matched: counted[0]!.count, sample }
}

/** Runs the stored policy as a job, whether the month is over or not. */
export async function startCleanup(tx: Tx, actor: Actor): Promise<string> {
  const policy = await mergePolicy(tx, {})
  const stored = await getPolicy(tx)
  if (!stored.enabled) throw new Conflict('policy_off', 'The policy is switched off. Switch it on before it runs.')
  const cutoff = cutoffOf(policy, tx.now)
  const jobId = await tx.enqueue('contacts.clean_inactive', { policy, cutoff, actor }, { createdBy: actor.id })
  await tx.sql
    .updateTable('contacts.inactive_policies')
    .set({ last_job_id: jobId, last_run_at: tx.now })
    .where('workspace_id', '=', tx.workspaceId)
    .execute()
  return jobId
}

/** `from contacts.contact_rows c where …`, to be continued with `and`. */
export function fromInactive(policy: Policy, cutoff: string): RawBuilder<unknown> {
  const since = sql`${cutoff}::timestamptz`
  const conditions = [sql`c.deleted_at is null`, sql`c.created_at < ${since}`, sql`${lastSeen} < ${since}`]
  if (policy.action === 'deactivate') conditions.push(sql`c.is_active`)
  if (policy.action === 'tag') conditions.push(sql`not ${hasAnyTag([policy.tag ?? ''])}`)
  if (policy.exclude_with_orders) conditions.push(sql`c.total_orders = 0 and c.total_purchases = 0`)
  if (policy.exclude_with_bookings) conditions.push(sql`c.total_bookings = 0 and c.total_appointments = 0`)
  if (policy.exclude_subscribed) conditions.push(sql`not (c.newsletter_subscribed or c.marketing_subscribed)`)
  if (policy.exclude_tags.length) conditions.push(sql`not ${hasAnyTag(policy.exclude_tags)}`)
  if (policy.exclude_lists.length) {
    conditions.push(sql`not exists (select from contacts.list_members m
      where m.workspace_id = c.workspace_id and m.contact_id = c.id and m.list_id = any(${policy.exclude_lists}::uuid[]))`)
  }
  conditions.push(sql`not exists (select from contacts.interactions i
    where i.workspace_id = c.workspace_id and i.contact_id = c.id and i.occurred_at >= ${since}
      and i.interaction_type = any(${[...signsOfLife]}::text[]))`)
  return sql`from contacts.contact_rows c where ${sql.join(conditions, sql` and `)}`
}

/** Entries of the timeline that show that somebody was there, or worked with them; what we sent shows nothing. */
const signsOfLife = [
  'booking_created',
  'booking_completed',
  'booking_cancelled',
  'note_added',
  'manual_entry',
  'form_submitted',
  'purchase',
  'subscribed',
  'contact_restored',
] as const

const lastSeen = sql`greatest(c.created_at, c.last_engaged_at, c.last_email_opened_at, c.last_email_clicked_at, c.last_order_date,
  c.last_appointment_date, c.last_booking_date, c.subscribed_at)`

function hasAnyTag(names: readonly string[]): RawBuilder<unknown> {
  return sql`exists (
    select from contacts.contact_tags ct join contacts.tags t on t.workspace_id = ct.workspace_id and t.id = ct.tag_id
    where ct.workspace_id = c.workspace_id and ct.contact_id = c.id
      and lower(t.name) in (select lower(name) from unnest(${[...names]}::text[]) as name))`
}

function cutoffOf({ inactive_days }: Policy, now: Date): string {
  return new Date(now.getTime() - inactive_days * 86_400_000).toISOString()
}

async function requireLists(tx: Tx, ids: string[]): Promise<void> {
  const { rows } = await sql<{ id: string }>`
    select id from contacts.lists where id = any(${ids}::uuid[]) and deleted_at is null`.execute(tx.sql)
  const known = new Set(rows.map(({ id }) => id))
  const unknown = ids.findIndex((id) => !known.has(id.toLowerCase()))
  if (unknown >= 0) throw Invalid.at(`/exclude_lists/${unknown}`, 'not_found', 'There is no such list here.')
}
