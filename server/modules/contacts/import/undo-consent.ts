/**
 * Consent, when an import is undone: what it granted ends, and what it took away comes back where nobody has said
 * anything since. The ledger keeps both, the word and its end.
 */
import { sql } from 'kysely'
import type { Tx } from '#platform/db/db.ts'
import { lift } from '../suppression.ts'
import { importer, type Import } from './job.ts'
import type { Keys } from './merge/plan.ts'

export async function takeBackConsent(tx: Tx, services: Keys, row: Import, ids: string[]): Promise<void> {
  await endGrants(tx, row, ids)
  const restored = await restoreGrants(tx, row, ids)
  await liftSuppressions(tx, services, row, [...restored])
}

/** A subscription that the import declared must not outlive it. */
async function endGrants(tx: Tx, row: Import, ids: string[]): Promise<void> {
  const actor = importer(row)
  await sql`
    with ended as (
      select i.contact_id, purpose from contacts.import_changes i, unnest(i.subscribed) as purpose
      where i.workspace_id = ${tx.workspaceId} and i.import_id = ${row.id} and i.contact_id = any(${ids}::uuid[])
    ), told as (
      insert into contacts.consents (workspace_id, id, contact_id, purpose, decision, source, evidence, actor_id, actor_name)
      select ${tx.workspaceId}, gen_random_uuid(), contact_id, purpose, 'withdrawn', 'import',
        jsonb_build_object('import_id', ${row.id}::text, 'undone', true), ${actor.id}::uuid, ${actor.name}
      from ended
    )
    update contacts.contacts c set
      newsletter_subscribed = c.newsletter_subscribed and not 'newsletter' = any(e.purposes),
      marketing_subscribed = c.marketing_subscribed and not 'marketing' = any(e.purposes)
    from (select contact_id, array_agg(purpose) as purposes from ended group by contact_id) e
    where c.workspace_id = ${tx.workspaceId} and c.id = e.contact_id`.execute(tx.sql)
}

/**
 * Only where this import's "no" is still the last word, so that what the person said since stands. The proof of the
 * grant is the entry that the "no" followed; its wording is taken from there. Answers whom it concerns.
 */
async function restoreGrants(tx: Tx, row: Import, ids: string[]): Promise<Set<string>> {
  const actor = importer(row)
  const { rows } = await sql<{ contact_id: string }>`
    with back as (
      select i.contact_id, purpose, earlier.wording, earlier.wording_sha256
      from contacts.import_changes i, unnest(i.unsubscribed) as purpose
      cross join lateral (
        select k.decision, k.evidence from contacts.consents k
        where k.workspace_id = i.workspace_id and k.contact_id = i.contact_id and k.purpose = purpose and k.decision <> 'pending'
        order by k.recorded_at desc, k.id desc limit 1) last
      left join lateral (
        select k.wording, k.wording_sha256 from contacts.consents k
        where k.workspace_id = i.workspace_id and k.contact_id = i.contact_id and k.purpose = purpose and k.decision = 'granted'
        order by k.recorded_at desc, k.id desc limit 1) earlier on true
      where i.workspace_id = ${tx.workspaceId} and i.import_id = ${row.id} and i.contact_id = any(${ids}::uuid[])
        and last.decision = 'withdrawn' and last.evidence->>'import_id' = ${row.id}
    ), told as (
      insert into contacts.consents (workspace_id, id, contact_id, purpose, decision, source, wording, wording_sha256, evidence,
        actor_id, actor_name)
      select ${tx.workspaceId}, gen_random_uuid(), contact_id, purpose, 'granted', 'import', coalesce(wording, ''),
        coalesce(wording_sha256, ''), jsonb_build_object('import_id', ${row.id}::text, 'undone', true),
        ${actor.id}::uuid, ${actor.name}
      from back
    ), each as (
      select contact_id, array_agg(purpose) as purposes from back group by contact_id
    )
    update contacts.contacts c set
      newsletter_subscribed = c.newsletter_subscribed or 'newsletter' = any(e.purposes),
      marketing_subscribed = c.marketing_subscribed or 'marketing' = any(e.purposes),
      status = case when c.status = 'unsubscribed' then 'active' else c.status end,
      unsubscribed_at = null
    from each e
    where c.workspace_id = ${tx.workspaceId} and c.id = e.contact_id and c.deleted_at is null
    returning c.id as contact_id`.execute(tx.sql)
  return new Set(rows.map((each) => each.contact_id))
}

/** Addresses that the import put on the list, and nobody else. */
export async function liftSuppressions(tx: Tx, services: Keys, row: Import, ids: string[]): Promise<void> {
  if (!ids.length) return
  const { rows } = await sql<{ email: string }>`
    select c.email from contacts.import_changes i
    join contacts.contacts c on c.workspace_id = i.workspace_id and c.id = i.contact_id
    where i.workspace_id = ${tx.workspaceId} and i.import_id = ${row.id} and i.contact_id = any(${ids}::uuid[])
      and i.suppressed`.execute(tx.sql)
  const emails = rows.map(({ email }) => email)
  await lift(tx, services, emails, ['unsubscribe', 'hard_bounce', 'complaint'])
}
