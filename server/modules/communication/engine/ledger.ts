/**
 * Writes the ledger while mails go out: before a mail is handed over its row says so, and no lane begins its next mail
 * before the answer to its last is written. After a crash of the worker, at most one mail per lane is in doubt, and none
 * is lost. Lanes that wait at the same time share one statement.
 *
 * The writes do not wait for the disk, which would cost more than the mail itself. A crash of the database alone may
 * therefore forget the last of them; the worker still knows, and says the answers of the last seconds again as soon
 * as the database is back.
 */
import { sql } from 'kysely'
import { setImmediate as nextTurn } from 'node:timers/promises'
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

/** Longer than PostgreSQL keeps a commit from the disk: three rounds of its writer, 200 ms each. */
const memoryMs = 3_000

export function createLedger(db: Db): Ledger {
  let waiting: Entry[] = []
  let writing = false
  let answers: { at: number; workspaceId: string; change: Change }[] = []
  let interrupted = false

  function add(workspaceId: string, change: Change): Promise<boolean> {
    const { promise, resolve, reject } = Promise.withResolvers<boolean>()
    waiting.push({ workspaceId, change, settle: resolve, fail: reject })
    if (!writing) void writeAll()
    return promise
  }

  async function writeAll(): Promise<void> {
    writing = true
    while (waiting.length) {
      // A lane tells of its answer and asks for its next mail in one breath: both belong into one statement.
      await nextTurn()
      const batch = waiting
      waiting = []
      for (const [workspaceId, entries] of Map.groupBy(batch, (entry) => entry.workspaceId)) {
        await writeGroup(workspaceId, entries)
      }
    }
    writing = false
  }

  async function writeGroup(workspaceId: string, entries: Entry[]): Promise<void> {
    const at = performance.now()
    if (!interrupted) answers = answers.filter((answer) => at - answer.at < memoryMs)
    const given = entries.filter(({ change }) => change.state !== 'handed_over')
    answers.push(...given.map(({ change }) => ({ at, workspaceId, change })))
    try {
      if (interrupted) await sayAgain(db, answers)
      interrupted = false
      const written = await writeChanges(db, workspaceId, entries)
      for (const { change, settle } of entries) settle(written.has(keyOf(change)))
    } catch (error) {
      interrupted = true
      for (const { fail } of entries) fail(error as Error)
    }
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

function keyOf(change: Change): string {
  return `${change.contact_id} ${change.state}`
}

const writing = `
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
  from jsonb_to_recordset($2::jsonb) as c(
    campaign_id uuid, contact_id uuid, claim uuid, state text, reason text, code int, response text, retry_in_ms float8,
    ambiguous int, message_id text, tracked boolean)
  where d.workspace_id = $1 and d.campaign_id = c.campaign_id and d.contact_id = c.contact_id
    and d.campaign_id = any($3::uuid[]) and d.contact_id = any($4::uuid[])
    and d.claim = c.claim
    and d.state = case c.state when 'handed_over' then 'claimed' else 'handed_over' end
    and (c.state <> 'handed_over' or exists (
      select from communication.sending s
      where s.workspace_id = d.workspace_id and s.campaign_id = d.campaign_id))
  returning d.contact_id || ' ' || c.state as key`

async function writeChanges(db: Db, workspaceId: string, entries: Entry[]): Promise<Set<string>> {
  const changes = entries.map((entry) => entry.change)
  const campaignIds = [...new Set(changes.map((change) => change.campaign_id))]
  const contactIds = changes.map((change) => change.contact_id)
  const values = [workspaceId, JSON.stringify(changes), campaignIds, contactIds]
  const rows = await db.statement<{ key: string }>(workspaceId, writing, values, { lasting: false })
  return new Set(rows.map((row) => row.key))
}

/**
 * After the database was away: whatever it forgot of the last answers is written again. The claim may be forgotten too,
 * so only what is not at its end yet is touched.
 */
async function sayAgain(db: Db, answers: { workspaceId: string; change: Change }[]): Promise<void> {
  for (const [workspaceId, group] of Map.groupBy(answers, (answer) => answer.workspaceId)) {
    const ended = group.map(({ change }) => change).filter(({ state }) => state === 'sent' || state === 'failed')
    await db.transaction(workspaceId, (tx) =>
      sql`
        update communication.deliveries d
        set state = c.state, reason = c.reason, code = c.code, response = c.response, claim = null, lease_until = null,
            attempts = greatest(d.attempts, 1), handed_over_at = coalesce(d.handed_over_at, now()),
            sent_at = case c.state when 'sent' then now() end
        from jsonb_to_recordset(${JSON.stringify(ended)}::jsonb) as c(
          campaign_id uuid, contact_id uuid, state text, reason text, code int, response text)
        where d.workspace_id = ${workspaceId} and d.campaign_id = c.campaign_id and d.contact_id = c.contact_id
          and d.state in ('queued', 'claimed', 'handed_over')`.execute(tx.sql),
    )
  }
}
