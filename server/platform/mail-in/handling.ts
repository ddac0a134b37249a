/**
 * Handles what the doors have kept: reads each mail, says what sort it is, and asks the modules in turn, with several mails
 * of a workspace at once. All of it under a lease; a mail that cannot be read or that fails again and again goes into quarantine, and the others go on.
 */
import './tables.ts'
import { sql } from 'kysely'
import type { Selectable } from 'kysely'
import type { Tx } from '../db/db.ts'
import type { Worker } from '../module.ts'
import type { Runtime } from '../services.ts'
import { findDestinations, type Destination } from './addresses.ts'
import { finish, putOff, quarantine, takeOff, type End, type Prepared } from './endings.ts'
import type { InboundMail, MailHandler } from './handler.ts'
import { classifyMail } from './kind.ts'
import { ownMark } from './own-mark.ts'
import { readMail, UnreadableMail } from './read-mail.ts'
import { forgetFile } from './receive.ts'
import { judgeSender } from './sender.ts'
import type { InboundMailTable } from './tables.ts'

const batchSize = 100
/** Of mails that are in memory together, as they came. */
const portionBytesMax = 8_000_000
const concurrency = 4
const leaseMinutes = 5
/** Together about an hour. */
const attemptsMax = 6
const pollMs = 2_000

export interface MailHandling extends Worker {
  /** Something was received. */
  wake(): void
}

type Row = Selectable<InboundMailTable>
type Waiting = { workspace_id: string; mail_id: string; attempts: number }

export function createMailHandling(runtime: Runtime, handlers: readonly MailHandler[]): MailHandling {
  const { db, log } = runtime
  let timer: NodeJS.Timeout | undefined
  let running: Promise<void> | null = null
  let isStarted = false
  let isStopping = false
  let isAsked = false

  function wake(): void {
    if (!isStarted || isStopping) return
    isAsked = true
    running ??= round().finally(() => {
      running = null
      clearTimeout(timer)
      if (isAsked) wake()
      else if (!isStopping) timer = setTimeout(wake, pollMs).unref()
    })
  }

  async function round(): Promise<void> {
    isAsked = false
    try {
      await drain()
    } catch (error) {
      log.error({ err: error }, 'received mail could not be handled')
    }
  }

  async function drain(): Promise<void> {
    while (!isStopping) {
      const waiting = await claim()
      if (!waiting.length) return
      const groups = [...Map.groupBy(waiting, ({ workspace_id }) => workspace_id).values()]
      const lanes = Array.from({ length: concurrency }, async () => {
        for (let next = groups.shift(); next; next = groups.shift()) await handleGroup(next)
      })
      await Promise.all(lanes)
    }
  }

  async function claim(): Promise<Waiting[]> {
    return db.transaction('system', async (tx) => {
      const { rows } = await sql<Waiting>`
        with due as (
          select workspace_id, mail_id from platform.mail_queue where not_before <= now()
          order by not_before, mail_id limit ${batchSize} for update skip locked)
        update platform.mail_queue q set not_before = now() + make_interval(mins => ${leaseMinutes}), attempts = q.attempts + 1
        from due where q.workspace_id = due.workspace_id and q.mail_id = due.mail_id
        returning q.workspace_id, q.mail_id, q.attempts`.execute(tx.sql)
      // Ids grow with time: an answer comes after what it answers.
      return rows.toSorted((one, other) => (one.mail_id < other.mail_id ? -1 : 1))
    })
  }

  async function handleGroup(waiting: Waiting[]): Promise<void> {
    const workspaceId = waiting[0]!.workspace_id
    const attempts = new Map(waiting.map((each) => [each.mail_id, each.attempts]))
    const due = await sortOut(workspaceId, attempts)
    for (const portion of portionsOf(due)) {
      const ids = portion.map(({ id }) => id)
      const rows = await db.transaction(workspaceId, (tx) =>
        tx.sql.selectFrom('platform.inbound_mails').selectAll().where('id', 'in', ids).orderBy('id').execute(),
      )
      await handlePortion(workspaceId, await prepare(rows, attempts))
    }
  }

  /** Takes those off the queue that need nothing more, and answers the others with their sizes, in their order. */
  async function sortOut(workspaceId: string, attempts: Map<string, number>): Promise<Sized[]> {
    const ids = [...attempts.keys()]
    const rows = await db.transaction(workspaceId, async (tx) => {
      const known = await tx.sql
        .selectFrom('platform.inbound_mails')
        .select(['id', 'size_bytes', 'state'])
        .where('id', 'in', ids)
        .orderBy('id')
        .execute()
      const over = known.filter(({ state }) => state !== 'received').map(({ id }) => id)
      if (over.length) await takeOff(tx, over)
      // It was begun often enough without an end: it may be what brings the worker down.
      for (const { id, state } of known) {
        const count = attempts.get(id)!
        if (state === 'received' && count > attemptsMax) await quarantine(tx, id, count, 'It was tried too often.')
      }
      return known
    })
    const missing = ids.filter((id) => !rows.some((row) => row.id === id))
    for (const id of missing) await forgetFile(runtime, workspaceId, id)
    return rows.filter(({ id, state }) => state === 'received' && attempts.get(id)! <= attemptsMax)
  }

  /** Together in one transaction; should it fail, each has its own. */
  async function handlePortion(workspaceId: string, ready: Prepared[]): Promise<void> {
    if (!ready.length) return
    try {
      await db.transaction(workspaceId, (tx) => handle(tx, ready))
    } catch (error) {
      if (ready.length === 1) return fail(ready[0]!, error)
      for (const each of ready) {
        await db.transaction(workspaceId, (tx) => handle(tx, [each])).catch((failure: unknown) => fail(each, failure))
      }
    }
  }

  /** Read and judged, with no transaction open; those that cannot be read are put off or away. */
  async function prepare(rows: Row[], attempts: Map<string, number>): Promise<Prepared[]> {
    const found = await findDestinations(
      db,
      rows.flatMap(({ recipients }) => recipients),
    )
    const ready = await Promise.all(
      rows.map(async (row): Promise<Prepared | null> => {
        const { id, workspace_id: workspaceId } = row
        const known = { id, workspaceId, attempts: attempts.get(id)! }
        try {
          return { ...known, mail: await readInbound(row, found) }
        } catch (error) {
          await fail(known, error)
          return null
        }
      }),
    )
    return ready.filter((each) => each !== null)
  }

  async function readInbound(row: Row, found: Destination[]): Promise<InboundMail> {
    const raw = await rawOf(runtime, row)
    const mail = await readMail(raw)
    const destinations = found.filter(
      ({ workspaceId, named }) => workspaceId === row.workspace_id && row.recipients.includes(named),
    )
    const { subject, headers } = mail
    const { envelope_from: envelopeFrom } = row
    const from = mail.fromAddresses[0] ?? ''
    const kind = classifyMail({ headers, subject, from, envelopeFrom, ownMarks: [ownMark(runtime)] })
    const client = row.client as { ip: string; greeting: string } | null
    const { trustedServer } = runtime.config.mailIn
    const sender = await judgeSender({ raw, headers, envelopeFrom, client }, { trustedServer })
    return { ...mail, id: row.id, receivedAt: row.received_at, kind, envelopeFrom, destinations, sender }
  }

  async function handle(tx: Tx, prepared: Prepared[]): Promise<void> {
    // Another worker may have had one meanwhile, where this one was slower than its lease.
    const held = await tx.sql
      .selectFrom('platform.inbound_mails')
      .select('id')
      .where(
        'id',
        'in',
        prepared.map(({ id }) => id),
      )
      .where('state', '=', 'received')
      .orderBy('id')
      .forUpdate()
      .execute()
    const heldIds = new Set(held.map(({ id }) => id))
    let open = prepared.filter(({ id }) => heldIds.has(id))
    const ends: End[] = []
    for (const handler of handlers) {
      if (!open.length) break
      const mails = open.map(({ mail }) => mail)
      const handled = await handler.handle(tx, mails, runtime)
      ends.push(...open.flatMap((each, at) => (handled[at] ? [{ ...each, ...handled[at] }] : [])))
      open = open.filter((_, at) => !handled[at])
    }
    ends.push(...open.map((each) => ({ ...each, state: 'ignored' as const, outcome: 'nobody_asked' })))
    await finish(tx, ends)
  }

  async function fail({ id, workspaceId, attempts }: Omit<Prepared, 'mail'>, error: unknown): Promise<void> {
    const reason = error instanceof Error ? error.message.slice(0, 500) : 'unknown'
    const isOver = error instanceof UnreadableMail || attempts >= attemptsMax
    if (!(error instanceof UnreadableMail))
      log.error({ err: error, mail_id: id, attempts }, 'a mail could not be handled')
    await db
      .transaction(workspaceId, (tx) =>
        isOver ? quarantine(tx, id, attempts, reason) : putOff(tx, id, attempts, reason),
      )
      .catch((failure: Error) => log.error({ err: failure, mail_id: id }, 'the mail waits for its lease to end'))
  }

  return {
    wake,
    start() {
      isStarted = true
      wake()
    },
    drain,
    async stop() {
      isStopping = true
      clearTimeout(timer)
      await running
    },
  }
}

export async function rawOf({ files }: Pick<Runtime, 'files'>, row: Pick<Row, 'raw' | 'file_key'>): Promise<Buffer> {
  if (row.raw) return row.raw
  const stream = row.file_key ? await files.get(row.file_key) : null
  if (!stream) throw new Error('the mail’s file is missing')
  const chunks: Buffer[] = []
  for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks)
}

interface Sized {
  id: string
  size_bytes: number
}

/** In their order, each no larger together than may be in memory, or one mail alone. */
function* portionsOf(mails: Sized[]): Generator<Sized[]> {
  let portion: Sized[] = []
  let bytes = 0
  for (const mail of mails) {
    if (portion.length && bytes + mail.size_bytes > portionBytesMax) {
      yield portion
      portion = []
      bytes = 0
    }
    portion.push(mail)
    bytes += mail.size_bytes
  }
  if (portion.length) yield portion
}
