/**
 * Which recipients a worker takes on: a batch under a lease, fenced by a claim id, so that several workers never hold
 * the same one and what a dead worker held comes back.
 */
import { sql } from 'kysely'
import type { Tx } from '#platform/db/db.ts'
import { newId } from '#platform/ids.ts'

/** A dead worker's batch is free again after this time; living ones prolong it every third of it. */
export const leaseMs = 15_000

export interface ClaimedRow {
  contact_id: string
  id: string
  email: string
  domain: string
  attempts: number
  ambiguous: number
}

export interface Claim {
  claim: string
  rows: ClaimedRow[]
}

/**
 * At most `limit` recipients that are due: those waiting to be tried again first. Rows are named by an array here and in
 * the ledger, never by a join: right after an audience was frozen the table has no statistics yet, and the planner would
 * walk through all of it for each batch.
 */
export async function claimBatch(tx: Tx, campaignId: string, limit: number): Promise<Claim> {
  const claim = newId()
  const { rows } = await sql<ClaimedRow>`
    with again as (
      select contact_id from communication.deliveries
      where workspace_id = ${tx.workspaceId} and campaign_id = ${campaignId} and state = 'retry' and next_attempt_at <= now()
      order by next_attempt_at limit ${limit} for update skip locked
    ), fresh as (
      select contact_id from communication.deliveries
      where workspace_id = ${tx.workspaceId} and campaign_id = ${campaignId} and state = 'queued'
      order by contact_id limit ${limit} - (select count(*) from again) for update skip locked
    )
    update communication.deliveries d
    set state = 'claimed', claim = ${claim}, lease_until = now() + make_interval(secs => ${leaseMs / 1_000})
    where d.workspace_id = ${tx.workspaceId} and d.campaign_id = ${campaignId}
      and d.contact_id = any(array(select contact_id from again union all select contact_id from fresh))
    returning d.contact_id, d.id, d.email, d.domain, d.attempts, d.ambiguous`.execute(tx.sql)
  return { claim, rows }
}

/** Keeps what living workers hold. */
export async function prolongClaims(tx: Tx, claims: string[]): Promise<void> {
  await sql`
    update communication.deliveries set lease_until = now() + make_interval(secs => ${leaseMs / 1_000})
    where workspace_id = ${tx.workspaceId} and state in ('claimed', 'handed_over') and claim = any(${claims}::uuid[])`.execute(
    tx.sql,
  )
}

/** Gives back what was not begun. */
export async function releaseClaim(tx: Tx, campaignId: string, claim: string): Promise<void> {
  await tx.sql
    .updateTable('communication.deliveries')
    .set({ state: 'queued', claim: null, lease_until: null })
    .where('campaign_id', '=', campaignId)
    .where('claim', '=', claim)
    .where('state', '=', 'claimed')
    .execute()
}

/**
 * Takes back what dead workers held. What had only been claimed was surely not sent; what had been handed over may
 * have been, and is counted as ambiguous and sent again with the same Message-ID: lost mail is worse than a mail that
 * a mailbox can recognise as the same.
 */
export async function reclaimExpired(tx: Tx, campaignId: string): Promise<number> {
  const { numAffectedRows } = await sql`
    update communication.deliveries
    set state = case state when 'claimed' then 'queued' else 'retry' end,
        ambiguous = ambiguous + case state when 'claimed' then 0 else 1 end,
        reason = case state when 'claimed' then null else 'interrupted' end,
        next_attempt_at = case state when 'claimed' then null else now() end,
        claim = null, lease_until = null
    where workspace_id = ${tx.workspaceId} and campaign_id = ${campaignId}
      and state in ('claimed', 'handed_over') and lease_until < now()`.execute(tx.sql)
  return Number(numAffectedRows ?? 0)
}

/** Puts rows off that a rate does not allow yet. */
export async function putOff(tx: Tx, campaignId: string, contactIds: string[], delayMs: number): Promise<void> {
  if (!contactIds.length) return
  await sql`
    update communication.deliveries
    set state = 'retry', reason = 'rate', claim = null, lease_until = null,
        next_attempt_at = now() + make_interval(secs => ${delayMs / 1_000})
    where workspace_id = ${tx.workspaceId} and campaign_id = ${campaignId} and contact_id = any(${contactIds}::uuid[])`.execute(
    tx.sql,
  )
}

/** Those who must not get it, with the reason; final for this campaign. */
export async function skipRows(
  tx: Tx,
  campaignId: string,
  skipped: { contactId: string; reason: string }[],
): Promise<void> {
  if (!skipped.length) return
  await sql`
    update communication.deliveries d
    set state = 'skipped', reason = s.reason, claim = null, lease_until = null
    from unnest(${skipped.map((row) => row.contactId)}::uuid[], ${skipped.map((row) => row.reason)}::text[])
      as s(contact_id, reason)
    where d.workspace_id = ${tx.workspaceId} and d.campaign_id = ${campaignId} and d.contact_id = s.contact_id
      and d.contact_id = any(${skipped.map((row) => row.contactId)}::uuid[])`.execute(tx.sql)
}
