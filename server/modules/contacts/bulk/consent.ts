/**
 * Bulk actions on what people allow. They declare, as an import does: they can add a first "yes" and take away, and never
 * stand against a "no" (docs/decisions/0012). Whom they leave out is counted with the reason.
 */
import { sql } from 'kysely'
import { Invalid } from '#platform/errors.ts'
import { publishContacts, type ContactFacts } from '../contact-events.ts'
import {
  marketingPurposes,
  recordConsent,
  rehearseConsent,
  type ConsentEntry,
  type ConsentOutcome,
} from '../consent.ts'
import { recordInteractions } from '../interactions.ts'
import { operationOf } from '../operations/record.ts'
import { lift, suppress } from '../suppression.ts'
import type { Applied, BulkActionKind, BulkPlan, Context } from './action.ts'

type Purpose = (typeof marketingPurposes)[number]

export function decide(decision: 'granted' | 'withdrawn'): BulkActionKind {
  return {
    check({ params }) {
      if (!params.type) throw Invalid.at('/params/type', 'required', 'Subscribed to what?')
    },
    plan(context) {
      const { type = 'all' } = context.params
      const purposes = type === 'all' ? marketingPurposes : [type]
      const flags = purposes.map((purpose) => sql<boolean>`${sql.ref(`c.${purpose}_subscribed`)}`)
      const known = decision === 'granted' ? sql.join(flags, sql` and `) : sql`false`
      return {
        facts: { type },
        outcome: sql`case when ${known} then 'same' else 'change' end`,
        ...decisions(context, purposes, decision),
      }
    },
  }
}

/** Both judge by the same rules; the rehearsal writes nothing. */
function decisions(
  { tx, actor, services }: Context,
  purposes: readonly Purpose[],
  decision: 'granted' | 'withdrawn',
): Required<Pick<BulkPlan, 'apply' | 'rehearse'>> {
  const entriesOf = (ids: string[]): ConsentEntry[] =>
    ids.flatMap((contactId) => purposes.map((purpose) => ({ contactId, purpose, decision, source: 'bulk', actor })))
  return {
    apply: async (ids) => toApplied(await recordConsent(tx, services, entriesOf(ids))),
    rehearse: async (ids) => toApplied(await rehearseConsent(tx, services, entriesOf(ids))),
  }
}

/** Somebody of whom one purpose was accepted has changed. */
function toApplied({ recorded, refused }: ConsentOutcome): Applied {
  const changed = new Set(recorded.map((entry) => entry.contactId))
  const reasons = new Map(refused.map(({ entry, reason }) => [entry.contactId, reason]))
  const counts: Record<string, number> = {}
  for (const [contactId, reason] of reasons) if (!changed.has(contactId)) counts[reason] = (counts[reason] ?? 0) + 1
  return { changed: changed.size, refused: counts }
}

export const setStatus: BulkActionKind = {
  check({ params }) {
    if (!params.status) throw Invalid.at('/params/status', 'required', 'Which status?')
  },
  plan: (context) => ({ facts: { status: context.params.status }, ...statusPlans[context.params.status!](context) }),
}

type StatusPlan = Omit<BulkPlan, 'facts'>

/** A "no" of any purpose that is the last word. */
const saidNo = sql<boolean>`exists (
  select from unnest('{newsletter,marketing}'::text[]) as purpose
  cross join lateral (
    select k.decision from contacts.consents k
    where k.workspace_id = c.workspace_id and k.contact_id = c.id and k.purpose = purpose and k.decision <> 'pending'
    order by k.recorded_at desc, k.id desc limit 1) as word
  where word.decision = 'withdrawn')`

/** A status only ever becomes stricter, but for a bounce: the mailbox may have been mended. */
const statusPlans: Record<NonNullable<Context['params']['status']>, (context: Context) => StatusPlan> = {
  active: (context) => ({
    outcome: sql`case c.status when 'active' then 'same' when 'complained' then 'complained' when 'unsubscribed' then 'said_no'
      else case when ${saidNo} then 'said_no' else 'change' end end`,
    apply: (ids) => moveTo('active', context, ids),
  }),
  unsubscribed: (context) => ({
    outcome: sql`case when c.status = 'unsubscribed' and not c.newsletter_subscribed and not c.marketing_subscribed then 'same'
      when c.status in ('bounced', 'complained') then c.status else 'change' end`,
    ...decisions(context, marketingPurposes, 'withdrawn'),
  }),
  bounced: (context) => ({
    outcome: sql`case c.status when 'bounced' then 'same' when 'complained' then 'complained' else 'change' end`,
    apply: (ids) => moveTo('bounced', context, ids),
  }),
  complained: (context) => ({
    outcome: sql`case c.status when 'complained' then 'same' else 'change' end`,
    apply: (ids) => moveTo('complained', context, ids),
  }),
}

async function moveTo(
  status: 'active' | 'bounced' | 'complained',
  { tx, actor, services }: Context,
  ids: string[],
): Promise<Applied> {
  const { rows } = await sql<ContactFacts>`
    with locked as materialized (
      select id from contacts.contacts
      where workspace_id = ${tx.workspaceId} and id = any(${ids}::uuid[]) and deleted_at is null order by id for no key update)
    update contacts.contacts c set status = ${status} from locked
    where c.workspace_id = ${tx.workspaceId} and c.id = locked.id
      and case ${status}::text when 'active' then c.status = 'bounced' when 'bounced' then c.status in ('active', 'unsubscribed')
        else c.status <> 'complained' end
    returning c.id, c.email, c.first_name, c.last_name`.execute(tx.sql)
  const emails = rows.map(({ email }) => email)
  if (status === 'active') await lift(tx, services, emails, ['hard_bounce'])
  else await suppress(tx, services, emails, status === 'bounced' ? 'hard_bounce' : 'complaint')
  await publishContacts(tx, 'updated', rows, { changed: ['status'] })
  const metadata = { changed: ['status'], operation_id: operationOf(tx) }
  await recordInteractions(
    tx,
    rows.map(({ id }) => ({ contactId: id, type: 'contact_updated' as const, metadata, actor })),
  )
  return { changed: rows.length }
}
