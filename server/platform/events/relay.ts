/**
 * Hands the outbox on to the reactions of the modules: at least once, in order per subject. One relay works at a time
 * in the whole installation (an advisory lock), so that order needs no further care; a reaction that fails holds back
 * its own subject alone, and after the last try the event is set aside, visible, for somebody to send again.
 */
import { sql } from 'kysely'
import type { Db, Tx } from '../db/db.ts'
import type { Reaction, Worker } from '../module.ts'
import { NotUnderstood, RapportError } from '../errors.ts'
import type { Services } from '../services.ts'
import type { Event } from './outbox.ts'

const batchSize = 500
/** Of events that are only marked, at once. */
const unheardSize = 5_000
const attemptsMax = 12
const pollMs = 1_000

interface Waiting {
  seq: number
  id: string
  workspace_id: string
  event: string
  subject: string
  data: Record<string, unknown>
  /** Stands for many events; they are read when its turn comes. */
  is_bundle: boolean
  created_at: Date
  attempts: number
}

/** Kinds of events that somebody listens to, as rows of their own and in bundles. */
interface Heard {
  single: string[]
  bundled: string[]
}

export function createRelay(db: Db, services: Services, reactions: Reaction[]): Worker {
  const reactionsTo = Map.groupBy(reactions, (reaction) => reaction.event)
  requireOwnConsumers(reactionsTo)
  const heard: Heard = {
    single: [...reactionsTo.keys()],
    bundled: [...new Set(reactions.filter((one) => !one.fromOutside).map((one) => one.event))],
  }
  let timer: NodeJS.Timeout | undefined
  let turning: Promise<void> | undefined
  let stopped = false
  let woken = false

  async function turnUntilEmpty(): Promise<void> {
    while ((await relayBatch(db, services, reactionsTo, heard)) && !stopped);
  }

  function wake(): void {
    woken = true
    if (stopped || turning) return
    clearTimeout(timer)
    woken = false
    turning = turnUntilEmpty()
      .catch((error: Error) => services.log.warn({ err: error }, 'the relay had an error and goes on'))
      .finally(() => {
        turning = undefined
        if (woken) wake()
        else if (!stopped) timer = setTimeout(wake, pollMs)
      })
  }

  return {
    start() {
      db.onCommit(({ events }) => events && wake())
      wake()
    },
    async drain() {
      await turning // its lock would make the turn below see nothing to do
      await turnUntilEmpty()
    },
    async stop() {
      stopped = true
      clearTimeout(timer)
      await turning
    },
  }
}

/** Two reactions under one name would each believe that the other had done the work. */
function requireOwnConsumers(reactionsTo: Map<string, Reaction[]>): void {
  for (const [event, reactions] of reactionsTo) {
    const double = reactions.find(({ consumer }, index) => reactions.findIndex((r) => r.consumer === consumer) < index)
    if (double) throw new Error(`two reactions to ${event} are named ${double.consumer}`)
  }
}

/** Answers whether there may be more. */
async function relayBatch(
  db: Db,
  services: Services,
  reactionsTo: Map<string, Reaction[]>,
  heard: Heard,
): Promise<boolean> {
  return db.transaction('system', async (leader) => {
    const lock = await sql<{ held: boolean }>`select pg_try_advisory_xact_lock(7276772) as held`.execute(leader.sql)
    if (!lock.rows[0]?.held) return false
    const unheard = await passUnheard(leader, heard)
    if (unheard) services.metrics.events.inc({ target: 'reaction', outcome: 'relayed' }, unheard)
    const waiting = await takeWaiting(leader)
    services.metrics.outboxLag.set(waiting[0] ? Math.max(0, (Date.now() - waiting[0].created_at.getTime()) / 1_000) : 0)
    const blocked = new Set<string>()
    for (const run of inRuns(waiting)) {
      const free = run.filter((row) => !isHeldBack(row, blocked))
      if (free.length) await relayRun(db, services, free, reactionsTo.get(free[0]!.event) ?? [], blocked)
    }
    return waiting.length + unheard > 0
  })
}

/**
 * What nobody here listens to is done with at once, and not read: an import tells of a hundred thousand contacts. Between
 * two kinds that alternate, such events would also cut every run to one.
 */
async function passUnheard(leader: Tx, heard: Heard): Promise<number> {
  const { numAffectedRows } = await sql`
    update platform.outbox set relayed_at = now()
    where seq in (
      select seq from platform.outbox
      where relayed_at is null and failed_at is null
        and event <> all(case when is_bundle then ${heard.bundled}::text[] else ${heard.single}::text[] end)
      order by seq limit ${unheardSize})`.execute(leader.sql)
  return Number(numAffectedRows ?? 0)
}

async function takeWaiting(leader: Tx): Promise<Waiting[]> {
  const { rows } = await sql<Waiting>`
    select seq, id, workspace_id, event, subject, case when not is_bundle then data end as data, is_bundle, created_at, attempts
    from platform.outbox o
    where relayed_at is null and failed_at is null and next_attempt_at <= now()
      and not exists (
        select from platform.outbox earlier
        where earlier.workspace_id = o.workspace_id and earlier.seq < o.seq
          and (earlier.subject = o.subject or earlier.is_bundle or o.is_bundle)
          and earlier.relayed_at is null and earlier.failed_at is null and earlier.attempts > 0
          and earlier.next_attempt_at > now())
    order by seq limit ${batchSize}`.execute(leader.sql)
  return rows
}

/** Neighbours of one workspace and one kind go together; nothing overtakes anything. */
function inRuns(waiting: Waiting[]): Waiting[][] {
  const runs: Waiting[][] = []
  for (const row of waiting) {
    const last = runs.at(-1)
    const joins = last && !row.is_bundle && !last[0]!.is_bundle
    if (joins && last[0]!.workspace_id === row.workspace_id && last[0]!.event === row.event) last.push(row)
    else runs.push([row])
  }
  return runs
}

function subjectOf(row: Waiting): string {
  return `${row.workspace_id} ${row.is_bundle ? everySubject : row.subject}`
}

/** A bundle may tell of anybody: while it waits, its whole workspace does, and it waits for whatever of it waits. */
const everySubject = '*'

function isHeldBack(row: Waiting, blocked: Set<string>): boolean {
  if (!blocked.size) return false
  if (row.is_bundle) return [...blocked].some((subject) => subject.startsWith(`${row.workspace_id} `))
  return blocked.has(subjectOf(row)) || blocked.has(`${row.workspace_id} ${everySubject}`)
}

/** The events of a bundle, each as a row of its own would be. */
async function openBundle(tx: Tx, bundle: Waiting): Promise<Waiting[]> {
  const { rows } = await sql<Pick<Waiting, 'id' | 'subject' | 'data'>>`
    select each.id, each.subject, each.data
    from platform.outbox o, jsonb_to_recordset(o.data) as each(id text, subject text, data jsonb)
    where o.seq = ${bundle.seq}`.execute(tx.sql)
  return rows.map((row) => ({ ...bundle, ...row, is_bundle: false }))
}

async function relayRun(
  db: Db,
  services: Services,
  run: Waiting[],
  reactions: Reaction[],
  blocked: Set<string>,
): Promise<void> {
  try {
    await db.transaction(run[0]!.workspace_id, async (tx) => {
      const [first] = run as [Waiting]
      const rows = first.is_bundle ? await openBundle(tx, first) : run
      for (const reaction of reactions)
        if (!(first.is_bundle && reaction.fromOutside)) await react(tx, services, rows, reaction)
      await markRelayed(tx, run)
    })
    services.metrics.events.inc({ target: 'reaction', outcome: 'relayed' }, run.length)
  } catch (error) {
    // One bad event must not take its neighbours with it: each on its own, then the bad one waits.
    if (run.length === 1) {
      blocked.add(subjectOf(run[0]!))
      await postpone(db, services, run[0]!, error as Error)
      return
    }
    for (const row of run) if (!isHeldBack(row, blocked)) await relayRun(db, services, [row], reactions, blocked)
  }
}

async function react(tx: Tx, services: Services, run: Waiting[], reaction: Reaction): Promise<void> {
  const { rows } = await sql<{ event_id: string }>`
    insert into platform.inbox (consumer, event_id)
    select ${reaction.consumer}, id from unnest(${run.map((row) => row.id)}::uuid[]) as id
    on conflict do nothing returning event_id`.execute(tx.sql)
  const unseen = new Set(rows.map((row) => row.event_id))
  const events = run.filter((row) => unseen.has(row.id)).map(toEvent)
  if (events.length) await reaction.run(tx, events, services)
}

function toEvent(row: Waiting): Event {
  return {
    id: row.id,
    event: row.event,
    timestamp: row.created_at.toISOString(),
    workspace_id: row.workspace_id,
    data: row.data,
  }
}

async function markRelayed(tx: Tx, run: Waiting[]): Promise<void> {
  await sql`update platform.outbox set relayed_at = now() where seq = any(${run.map((row) => row.seq)}::bigint[])`.execute(
    tx.sql,
  )
}

/** 2 s, 4 s, 8 s … at most an hour; after the last try, or where none can help, somebody has to look. */
async function postpone(db: Db, services: Services, row: Waiting, error: Error): Promise<void> {
  const attempts = row.attempts + 1
  const final = attempts >= attemptsMax || error instanceof NotUnderstood
  services.log[final ? 'error' : 'warn'](
    { err: error, event_id: row.id, event: row.event, attempts },
    'a reaction failed',
  )
  services.metrics.events.inc({ target: 'reaction', outcome: final ? 'dead' : 'failed' })
  // An unexpected message may quote SQL or a path, and admins read this field.
  const shown = error instanceof RapportError ? error.message : 'An unexpected error; the log has this event_id.'
  const delaySeconds = Math.min(3_600, 2 ** attempts)
  await db.transaction('system', (tx) =>
    sql`
      update platform.outbox
      set attempts = ${attempts}, error = ${shown.slice(0, 500)},
          next_attempt_at = now() + make_interval(secs => ${delaySeconds}),
          failed_at = ${final ? new Date() : null}
      where seq = ${row.seq}`.execute(tx.sql),
  )
}
