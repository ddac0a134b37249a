/**
 * Handles what the doors have kept: reads each mail, says what sort it is, and asks the modules in turn. All of it under a
 * lease; a mail that cannot be read or that fails again and again goes into quarantine, and the others go on.
 */
import './tables.ts'
import { sql } from 'kysely'
import type { Selectable } from 'kysely'
import type { Tx } from '../db/db.ts'
import type { Worker } from '../module.ts'
import type { Runtime } from '../services.ts'
import { findDestinations } from './addresses.ts'
import type { InboundMail, MailHandler } from './handler.ts'
import { classifyMail } from './kind.ts'
import { ownMark } from './own-mark.ts'
import { readMail, UnreadableMail, type ReceivedMail } from './read-mail.ts'
import { judgeSender } from './sender.ts'
import type { InboundMailTable } from './tables.ts'

const batchSize = 20
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
interface Prepared {
  id: string
  workspaceId: string
  attempts: number
  mail: InboundMail
}

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

  /** Those of one workspace share a transaction, for they would wait for each other's ticket numbers; should it fail, each has its own. */
  async function handleGroup(waiting: Waiting[]): Promise<void> {
    const ready = (await Promise.all(waiting.map(prepare))).filter((each) => each !== null)
    const workspaceId = waiting[0]!.workspace_id
    if (!ready.length) return
    try {
      await db.transaction(workspaceId, async (tx) => {
        for (const each of ready) await handle(tx, each)
      })
    } catch (error) {
      if (ready.length === 1) return fail(ready[0]!, error)
      for (const each of ready) {
        await db.transaction(workspaceId, (tx) => handle(tx, each)).catch((failure: unknown) => fail(each, failure))
      }
    }
  }

  /** Read and judged, with no transaction open; null where there is nothing left to do. */
  async function prepare({ workspace_id: workspaceId, mail_id: id, attempts }: Waiting): Promise<Prepared | null> {
    const inTx = <T>(run: (tx: Tx) => Promise<T>): Promise<T> => db.transaction(workspaceId, run)
    try {
      const row = await inTx((tx) =>
        tx.sql.selectFrom('platform.inbound_mails').selectAll().where('id', '=', id).executeTakeFirst(),
      )
      if (!row || row.state !== 'received') await inTx((tx) => takeOff(tx, id))
      // It was begun often enough without an end: it may be what brings the worker down.
      else if (attempts > attemptsMax) await inTx((tx) => quarantine(tx, id, attempts, 'It was tried too often.'))
      else return { id, workspaceId, attempts, mail: await readInbound(row) }
    } catch (error) {
      await fail({ id, workspaceId, attempts }, error)
    }
    return null
  }

  async function readInbound(row: Row): Promise<InboundMail> {
    const raw = await rawOf(runtime, row)
    const mail = await readMail(raw)
    const found = await findDestinations(db, row.recipients)
    const destinations = found.filter(({ workspaceId }) => workspaceId === row.workspace_id)
    const { subject, headers } = mail
    const { envelope_from: envelopeFrom } = row
    const from = mail.fromAddresses[0] ?? ''
    const kind = classifyMail({ headers, subject, from, envelopeFrom, ownMarks: [ownMark(runtime)] })
    const client = row.client as { ip: string; greeting: string } | null
    const { trustedServer } = runtime.config.mailIn
    const sender = await judgeSender({ raw, headers, envelopeFrom, client }, { trustedServer })
    return { ...mail, id: row.id, receivedAt: row.received_at, kind, envelopeFrom, destinations, sender }
  }

  async function handle(tx: Tx, { id, attempts, mail }: Prepared): Promise<void> {
    // Another worker may have had it meanwhile, where this one was slower than its lease.
    const held = await tx.sql
      .selectFrom('platform.inbound_mails')
      .select('state')
      .where('id', '=', id)
      .forUpdate()
      .executeTakeFirst()
    if (held?.state !== 'received') return
    for (const handler of handlers) {
      const handled = await handler.handle(tx, mail, runtime)
      if (handled) return finish(tx, id, { ...handled, kind: mail.kind, mail, attempts })
    }
    await finish(tx, id, { state: 'ignored', outcome: 'nobody_asked', kind: mail.kind, mail, attempts })
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

interface End {
  state: 'handled' | 'ignored'
  outcome: string
  kind: string
  mail: ReceivedMail
  attempts: number
}

async function finish(tx: Tx, id: string, { state, outcome, kind, mail, attempts }: End): Promise<void> {
  await tx.sql
    .updateTable('platform.inbound_mails')
    .set({
      state,
      outcome,
      kind,
      attempts,
      error: null,
      from_address: mail.fromAddresses[0]?.slice(0, 320) ?? null,
      subject: mail.subject,
      handled_at: tx.now,
    })
    .where('id', '=', id)
    .execute()
  await takeOff(tx, id)
}

async function quarantine(tx: Tx, id: string, attempts: number, error: string): Promise<void> {
  await tx.sql
    .updateTable('platform.inbound_mails')
    .set({ state: 'quarantined', attempts, error, handled_at: tx.now })
    .where('id', '=', id)
    .where('state', '=', 'received')
    .execute()
  await takeOff(tx, id)
}

async function putOff(tx: Tx, id: string, attempts: number, error: string): Promise<void> {
  await tx.sql.updateTable('platform.inbound_mails').set({ attempts, error }).where('id', '=', id).execute()
  await sql`
    update platform.mail_queue set not_before = now() + make_interval(secs => ${10 * 4 ** (attempts - 1)})
    where workspace_id = ${tx.workspaceId} and mail_id = ${id}`.execute(tx.sql)
}

async function takeOff(tx: Tx, id: string): Promise<void> {
  await tx.sql
    .deleteFrom('platform.mail_queue')
    .where('workspace_id', '=', tx.workspaceId)
    .where('mail_id', '=', id)
    .execute()
}
