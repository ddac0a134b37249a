/**
 * Tells a broker of every event of the outbox: each at least once, in the order in which their transactions committed, under
 * the event's own id, so that a receiver knows a repetition. The cursor moves when the broker has confirmed; a broker that
 * is away delays, and loses nothing.
 */
import { sql } from 'kysely'
import type { Db, Tx } from '../db/db.ts'
import type { Event } from '../events/outbox.ts'
import type { Worker } from '../module.ts'
import type { Services } from '../services.ts'

/** Rejects unless the broker has taken responsibility for the message. */
export type Publish = (event: Event) => Promise<void>

const rowsAtOnce = 100
const pollMs = 1_000
const pauseMsMax = 30_000

/** `bus` names the cursor: one for each broker. */
export function createPublishing(db: Db, services: Services, bus: string, publish: Publish): Worker {
  let timer: NodeJS.Timeout | undefined
  let turning: Promise<void> | undefined
  let stopped = false
  let woken = false
  let failures = 0

  async function turnUntilEmpty(): Promise<void> {
    while ((await publishBatch(db, bus, publish)) && !stopped);
    failures = 0
  }

  function wake(): void {
    woken = true
    if (stopped || turning) return
    clearTimeout(timer)
    woken = false
    turning = turnUntilEmpty()
      .catch((error: Error) => {
        failures++
        services.metrics.events.inc({ target: bus, outcome: 'failed' })
        services.log.warn({ err: error, bus, failures }, 'the broker did not take an event; trying again')
      })
      .finally(() => {
        turning = undefined
        if (woken && !failures) wake()
        else if (!stopped) timer = setTimeout(wake, failures ? Math.min(pauseMsMax, 500 * 2 ** failures) : pollMs)
      })
  }

  return {
    start() {
      // A broker that is away is asked again when its pause is over, not at each commit.
      db.onCommit(({ events }) => events && !failures && wake())
      wake()
    },
    async drain() {
      await turning
      await turnUntilEmpty()
    },
    async stop() {
      stopped = true
      clearTimeout(timer)
      await turning
    },
  }
}

interface Row extends Event {
  xid: string
  seq: number
}

/** Answers whether there may be more. One process publishes at a time, so that order needs no further care. */
async function publishBatch(db: Db, bus: string, publish: Publish): Promise<boolean> {
  return db.transaction('system', async (leader) => {
    const lock = await sql<{ held: boolean }>`
      select pg_try_advisory_xact_lock(7276774, hashtext(${bus})) as held`.execute(leader.sql)
    if (!lock.rows[0]?.held) return false
    const rows = await nextRows(leader, bus)
    const last = rows.at(-1)
    if (!last) return false
    await Promise.all(rows.map(({ xid: _xid, seq: _seq, ...event }) => publish(event)))
    await sql`
      update platform.bus_cursors set xid = ${last.xid}::xid8, seq = ${last.seq}, updated_at = now()
      where bus = ${bus}`.execute(leader.sql)
    return true
  })
}

/** A bus that is new begins with what is committed from now on. */
async function nextRows(leader: Tx, bus: string): Promise<Row[]> {
  await sql`
    insert into platform.bus_cursors (bus, xid, seq)
    values (${bus}, pg_snapshot_xmin(pg_current_snapshot()), 0) on conflict do nothing`.execute(leader.sql)
  const { rows } = await sql<Row>`
    select o.xid::text as xid, o.seq, coalesce((each.item ->> 'id')::uuid, o.id) as id, o.event,
      to_char(o.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as timestamp, o.workspace_id,
      case when o.is_bundle then each.item -> 'data' else o.data end as data
    from (
      select w.* from platform.bus_cursors c join platform.outbox w on (w.xid, w.seq) > (c.xid, c.seq)
      where c.bus = ${bus} and w.xid < pg_snapshot_xmin(pg_current_snapshot()) and not w.is_foreign
      order by w.xid, w.seq limit ${rowsAtOnce}) o
    left join lateral jsonb_array_elements(case when o.is_bundle then o.data else '[]'::jsonb end)
      with ordinality as each(item, number) on true
    order by o.xid, o.seq, each.number`.execute(leader.sql)
  return rows
}
