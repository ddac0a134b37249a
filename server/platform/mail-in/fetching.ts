/** How fetching from the mailbox elsewhere goes, for whoever asks why no mail comes. One mailbox serves the installation. */
import './tables.ts'
import { sql } from 'kysely'
import type { Db, Tx } from '../db/db.ts'

export interface Visit {
  /** Those in a row, this one included. */
  failures: number
  /** Null where it went well. */
  problem: { code: string; detail: string } | null
  /** Mails that stay there: for no address of ours, too large, or failing. */
  passedOver: number
}

export interface Fetching {
  visited_at: Date
  succeeded_at: Date | null
  failures: number
  problem: string | null
  detail: string | null
  passed_over: number
}

export async function noteVisit(db: Db, { failures, problem, passedOver }: Visit): Promise<void> {
  await db.transaction('system', (tx) =>
    sql`
      insert into platform.mail_fetching as before (visited_at, succeeded_at, failures, problem, detail, passed_over)
      values (now(), case when ${problem === null} then now() end, ${failures}, ${problem?.code ?? null},
        ${problem?.detail ?? null}, ${passedOver})
      on conflict (one) do update set visited_at = excluded.visited_at,
        succeeded_at = coalesce(excluded.succeeded_at, before.succeeded_at), failures = excluded.failures,
        problem = excluded.problem, detail = excluded.detail, passed_over = excluded.passed_over`.execute(tx.sql),
  )
}

export async function getFetching(tx: Tx): Promise<Fetching | null> {
  const { rows } = await sql<Fetching>`
    select visited_at, succeeded_at, failures, problem, detail, passed_over from platform.mail_fetching`.execute(tx.sql)
  return rows[0] ?? null
}
