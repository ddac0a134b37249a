/**
 * Feeds the lanes: takes turns among the campaigns that are sending, claims a batch at a time with all that its mails
 * need, asks consent and suppression again right then, and sees campaigns through to their end.
 */
import { sql } from 'kysely'
import type { Runtime } from '#platform/services.ts'
import type { Tx } from '#platform/db/db.ts'
import { isSuppressed, recipientsOf, sendability, type Recipient } from '#modules/contacts/index.ts'
import { completeCampaign, getCampaign, lockCampaign } from '../campaigns.ts'
import { takeTokens } from './buckets.ts'
import {
  claimBatch,
  leaseMs,
  prolongClaims,
  putOff,
  reclaimExpired,
  releaseClaim,
  skipRows,
  type ClaimedRow,
} from './claim.ts'
import { keepLinks, openComposer, type Composer } from './compose.ts'
import type { Held } from './ledger.ts'
import { settleBatch, settleBatchSize } from './settle.ts'
import { pauseForContent } from './pause.ts'

export interface Work {
  held: Held
  row: ClaimedRow
  recipient: Recipient
  composer: Composer
  /** When consent was asked. */
  askedAt: number
}

export interface Feeder {
  start(): void
  /** The next mail to send; undefined when nothing is due. */
  take(): Promise<Work | undefined>
  done(work: Work): void
  /** Its claim is gone or its campaign stopped: what else the claim holds goes back too. */
  giveBack(work: Work): Promise<void>
  /** Settles, takes back what dead workers held, completes; answers whether there is more to do at once. */
  tend(): Promise<boolean>
  stop(): Promise<void>
}

interface Sending {
  workspace_id: string
  campaign_id: string
}

const batchSize = 200
/** The next batch is claimed while the last of this one go out. */
const lowMark = 80
/** Consent is asked when a batch is claimed; a batch that could not go out by then is asked again. */
const staleMs = 3_000

export function createFeeder(runtime: Runtime): Feeder {
  const { db } = runtime
  let ready: Work[] = []
  let filling: Promise<void> | undefined
  let turn = 0
  const composers = new Map<string, Composer>()
  /** Mails in hand by claim, for the heartbeat. */
  const claims = new Map<string, { workspaceId: string; campaignId: string; left: number }>()
  let heartbeat: NodeJS.Timeout | undefined

  const campaignsSending = (): Promise<Sending[]> =>
    db.transaction('system', async (tx) =>
      tx.sql
        .selectFrom('communication.sending')
        .select(['workspace_id', 'campaign_id'])
        .where('not_before', '<=', sql<Date>`now()`)
        .orderBy('campaign_id')
        .execute(),
    )

  /** Filling and asking again change the same list: one at a time. */
  function alone(work: () => Promise<void>): Promise<void> {
    filling ??= work().finally(() => (filling = undefined))
    return filling
  }

  async function fill(): Promise<void> {
    const sending = await campaignsSending()
    for (let tried = 0; tried < sending.length && ready.length < lowMark; tried++) {
      const next = sending[turn++ % sending.length]!
      // Need not reach the disk: of a claim that is forgotten, no mail can begin.
      const work = await db.transaction(next.workspace_id, (tx) => claimWork(tx, next.campaign_id), { lasting: false })
      ready.push(...work)
    }
  }

  async function claimWork(tx: Tx, campaignId: string): Promise<Work[]> {
    const composer = await composerOf(tx, campaignId)
    if (!composer) return []
    const limit = await allowance(tx)
    const { claim, rows } = limit ? await claimBatch(tx, campaignId, limit) : { claim: '', rows: [] }
    if (!rows.length) return []
    const allowed = await withinDomainRates(tx, campaignId, rows)
    const work = await sendable(tx, composer, claim, allowed)
    if (work.length) claims.set(claim, { workspaceId: tx.workspaceId, campaignId, left: work.length })
    return work
  }

  /** Compiled once for each version of the campaign; faults in the content pause it. */
  async function composerOf(tx: Tx, campaignId: string): Promise<Composer | null> {
    const whole = await getCampaign(tx, campaignId).catch(() => null)
    if (whole?.campaign.status !== 'active') return null
    const key = `${campaignId} ${whole.campaign.version}`
    const known = composers.get(key)
    if (known) return known
    const composer = await openComposer(tx, runtime, whole)
    if ('errors' in composer) {
      await pauseForContent(tx, campaignId, composer.errors)
      return null
    }
    await keepLinks(tx, campaignId, composer.links)
    for (const other of composers.keys()) if (other.startsWith(campaignId)) composers.delete(other)
    composers.set(key, composer)
    return composer
  }

  async function allowance(tx: Tx): Promise<number> {
    const rate = runtime.config.workers.sendRatePerSecond
    return rate ? takeTokens(tx, 'sender', Math.min(batchSize, Math.ceil(rate)), rate) : batchSize
  }

  async function withinDomainRates(tx: Tx, campaignId: string, rows: ClaimedRow[]): Promise<ClaimedRow[]> {
    const rate = runtime.config.workers.sendRatePerDomainPerSecond
    if (!rate) return rows
    const allowed: ClaimedRow[] = []
    const domains = [...Map.groupBy(rows, (row) => row.domain)].toSorted(([a], [b]) => (a < b ? -1 : 1))
    for (const [domain, group] of domains) {
      const tokens = await takeTokens(tx, `domain:${domain}`, group.length, rate)
      allowed.push(...group.slice(0, tokens))
      await putOff(
        tx,
        campaignId,
        group.slice(tokens).map((row) => row.contact_id),
        1_000,
      )
    }
    return allowed
  }

  /** Asks consent and suppression; who must not get it is skipped with the reason. */
  async function sendable(tx: Tx, composer: Composer, claim: string, rows: ClaimedRow[]): Promise<Work[]> {
    const { id: campaignId, category } = composer.campaign
    const recipients = new Map(
      (
        await recipientsOf(
          tx,
          rows.map((row) => row.contact_id),
        )
      ).map((recipient) => [recipient.id, recipient]),
    )
    const suppressed = await isSuppressed(
      tx,
      runtime,
      [...recipients.values()].map((recipient) => recipient.email),
      category,
    )
    const skipped: { contactId: string; reason: string }[] = []
    const work: Work[] = []
    const askedAt = performance.now()
    for (const row of rows) {
      const recipient = recipients.get(row.contact_id)
      const reason = recipient ? sendability(recipient, category, suppressed.has(recipient.email)) : 'deleted'
      if (!recipient || reason) skipped.push({ contactId: row.contact_id, reason: reason ?? 'deleted' })
      else
        work.push({
          composer,
          row,
          recipient,
          askedAt,
          held: { workspaceId: tx.workspaceId, campaignId, contactId: row.contact_id, claim },
        })
    }
    await skipRows(tx, campaignId, skipped)
    return work
  }

  /** Whoever has said no while their mail waited here does not get it. */
  async function askAgain(): Promise<void> {
    const waiting = ready
    ready = []
    for (const [claim, group] of Map.groupBy(waiting, (work) => work.held.claim)) {
      const { held, composer } = group[0]!
      const rows = group.map((work) => work.row)
      const still = await db.transaction(held.workspaceId, (tx) => sendable(tx, composer, claim, rows))
      release(claim, group.length - still.length)
      ready.push(...still)
    }
  }

  function release(claim: string, count: number): void {
    const entry = claims.get(claim)
    if (entry && (entry.left -= count) <= 0) claims.delete(claim)
  }

  async function beat(): Promise<void> {
    for (const [workspaceId, group] of Map.groupBy(claims, ([, entry]) => entry.workspaceId)) {
      const held = group.map(([claim]) => claim)
      const campaignIds = [...new Set(group.map(([, entry]) => entry.campaignId))]
      await db.transaction(workspaceId, (tx) => prolongClaims(tx, campaignIds, held))
    }
  }

  async function tendCampaign({ workspace_id: workspaceId, campaign_id: campaignId }: Sending): Promise<boolean> {
    return db.transaction(workspaceId, async (tx) => {
      const reclaimed = await reclaimExpired(tx, campaignId)
      const whole = await getCampaign(tx, campaignId).catch(() => null)
      if (!whole) return false
      const { id, name } = whole.campaign
      const settled = await settleBatch(tx, runtime, { id, name })
      const more = settled === settleBatchSize
      if (!more) await completeIfDone(tx, campaignId)
      return more || reclaimed > 0
    })
  }

  return {
    start() {
      heartbeat = setInterval(() => {
        void beat().catch((error: Error) => runtime.log.warn({ err: error }, 'the heartbeat of deliveries failed'))
      }, leaseMs / 3)
      // Pausing, resuming and launching are commits like any other: the engine looks at its list when its lanes are idle.
    },
    async take() {
      while (ready.length && performance.now() - ready[0]!.askedAt > staleMs) await alone(askAgain)
      if (ready.length < lowMark) {
        const filled = alone(fill)
        if (!ready.length) await filled
        else filled.catch(() => {}) // the next one who finds nothing ready asks again, and hears of it
      }
      return ready.shift()
    },
    done: (work) => release(work.held.claim, 1),
    async giveBack(work) {
      const { workspaceId, campaignId, claim } = work.held
      ready = ready.filter((other) => other.held.claim !== claim)
      claims.delete(claim)
      await db.transaction(workspaceId, (tx) => releaseClaim(tx, campaignId, claim))
    },
    async tend() {
      let changed = false
      for (const sending of await campaignsSending()) changed = (await tendCampaign(sending)) || changed
      return changed
    },
    async stop() {
      clearInterval(heartbeat)
      for (const [claim, { workspaceId, campaignId }] of claims) {
        await db.transaction(workspaceId, (tx) => releaseClaim(tx, campaignId, claim))
      }
    },
  }
}

/** Done: the audience is complete, and nobody waits, is in hand, or is left to settle. */
async function completeIfDone(tx: Tx, campaignId: string): Promise<void> {
  const { rows } = await sql<{ open: boolean }>`
    select exists (
      select from communication.deliveries
      where workspace_id = ${tx.workspaceId} and campaign_id = ${campaignId}
        and state in ('queued', 'claimed', 'handed_over', 'retry')) as open`.execute(tx.sql)
  if (rows[0]?.open) return
  const campaign = await lockCampaign(tx, campaignId)
  if (campaign.status !== 'active' || !campaign.frozen_at) return
  await completeCampaign(tx, campaign)
}
