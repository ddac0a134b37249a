/**
 * Writes the ledger while mails go out: before a mail is handed over its row says so, and no lane begins its next mail
 * before the answer to its last is written. After a crash, at most one mail per lane is in doubt, and none is lost.
 * Lanes that wait at the same time share one statement.
 */
import { sql } from 'kysely'
import type { Db } from '#platform/db/db.ts'
import { leaseMs } from './claim.ts'
import type { Outcome } from './outcome.ts'

/** Names one delivery under one claim. */
export interface Held {
  workspaceId: string
  campaignId: string
  contactId: string
  claim: string
}

interface Change {
  campaign_id: string
  contact_id: string
  claim: string
  state: string
  reason: string | null
  code: number | null
  response: string | null
  retry_in_ms: number | null
  ambiguous: number
  message_id: string | null
  tracked: boolean
}

interface Entry {
  workspaceId: string
  change: Change
  settle: (written: boolean) => void
  fail: (error: Error) => void
}

export interface Ledger {
  /** False: the claim is gone, or the campaign was paused or canceled. Then the mail must not be sent. */
  begin(held: Held, messageId: string, tracked: boolean): Promise<boolean>
  /** Need not be awaited: the lane's next `begin` is written after it. */
  finish(held: Held, outcome: Outcome): Promise<boolean>
}

export function createLedger(db: Db): Ledger {
  let waiting: Entry[] = []
  let writing = false

  function add(workspaceId: string, change: Change): Promise<boolean> {
    const { promise, resolve, reject } = Promise.withResolvers<boolean>()
    waiting.push({ workspaceId, change, settle: resolve, fail: reject })
    if (!writing) void writeAll()
    return promise
  }

  async function writeAll(): Promise<void> {
    writing = true
    while (waiting.length) {
      const batch = waiting
      waiting = []
      for (const [workspaceId, entries] of Map.groupBy(batch, (entry) => entry.workspaceId)) {
        await writeEntries(db, workspaceId, entries)
      }
    }
    writing = false
  }

  return {
    begin: ({ workspaceId, campaignId, contactId, claim }, messageId, tracked) =>
      add(workspaceId, {
        ...nothing,
        campaign_id: campaignId,
        contact_id: contactId,
        claim,
        state: 'handed_over',
        message_id: messageId,
        tracked,
      }),
    finish: ({ workspaceId, campaignId, contactId, claim }, outcome) =>
      add(workspaceId, {
        ...nothing,
        campaign_id: campaignId,
        contact_id: contactId,
        claim,
        state: outcome.state,
        reason: outcome.reason,
        code: outcome.code,
        response: outcome.response,
        retry_in_ms: outcome.retryInMs,
        ambiguous: outcome.ambiguous ? 1 : 0,
      }),
  }
}

const nothing = {
  reason: null,
  code: null,
  response: null,
  retry_in_ms: null,
  ambiguous: 0,
  message_id: null,
  tracked: false,
}

async function writeEntries(db: Db, workspaceId: string, entries: Entry[]): Promise<void> {
  try {
    const written = await db.transaction(workspaceId, async (tx) => {
      const { rows } = await sql<{ key: string }>`
        update communication.deliveries d
        set state = c.state,
            reason = c.reason,
            code = coalesce(c.code, d.code),
            response = coalesce(c.response, d.response),
            ambiguous = d.ambiguous + c.ambiguous,
            attempts = d.attempts + case c.state when 'handed_over' then 1 else 0 end,
            message_id = coalesce(c.message_id, d.message_id),
            tracked = case c.state when 'handed_over' then c.tracked else d.tracked end,
            handed_over_at = case c.state when 'handed_over' then clock_timestamp() else d.handed_over_at end,
            sent_at = case c.state when 'sent' then clock_timestamp() else d.sent_at end,
            next_attempt_at = now() + make_interval(secs => c.retry_in_ms / 1000.0),
            lease_until = case c.state when 'handed_over' then now() + make_interval(secs => ${leaseMs / 1_000}) end,
            claim = case c.state when 'handed_over' then d.claim end
        from jsonb_to_recordset(${JSON.stringify(entries.map((entry) => entry.change))}::jsonb) as c(
          campaign_id uuid, contact_id uuid, claim uuid, state text, reason text, code int, response text, retry_in_ms float8,
          ambiguous int, message_id text, tracked boolean)
        where d.workspace_id = ${workspaceId} and d.campaign_id = c.campaign_id and d.contact_id = c.contact_id
          and d.claim = c.claim
          and d.state = case c.state when 'handed_over' then 'claimed' else 'handed_over' end
          and (c.state <> 'handed_over' or exists (
            select from communication.sending s
            where s.workspace_id = d.workspace_id and s.campaign_id = d.campaign_id))
        returning d.contact_id || ' ' || c.state as key`.execute(tx.sql)
      return new Set(rows.map((row) => row.key))
    })
    for (const { change, settle } of entries) settle(written.has(`${change.contact_id} ${change.state}`))
  } catch (error) {
    for (const { fail } of entries) fail(error as Error)
  }
}
