// A pool of SMTP connections over nodemailer's protocol engine. nodemailer's own pool is not used for two reasons: it sends
// a message again by itself when a connection closes, which may deliver it twice, and it cannot tell whether the
// message had gone out by then. Here each message is tried once, and that moment is known.
import { Readable, type Writable } from 'node:stream'
import SMTPConnection from 'nodemailer/lib/smtp-connection'
import type { Envelope, Handover, Verified } from './mail.ts'
import { classifyReply, cleanResponse, type SmtpStage } from './replies.ts'
import { openConnection, type SmtpError, type SmtpSettings } from './smtp-connection.ts'

export type SmtpPool = {
  deliver(raw: Buffer, envelope: Envelope): Promise<Handover>
  verify(): Promise<Verified>
  close(): Promise<void>
}

type Job = { raw: Buffer; envelope: Envelope; wasRetried: boolean; settle: (handover: Handover) => void }
type Line = {
  connection: SMTPConnection
  sent: number
  job: Job | null
  message: RawMessage | null
  idleTimer?: NodeJS.Timeout
}

const CAP_MS = 30_000

/** Opens connections when there is something to send, up to the bound, and closes them when idle. */
export function createSmtpPool(settings: SmtpSettings): SmtpPool {
  const { connections = 5, messagesPerConnection = 100, idleTimeoutMs = 30_000, closeTimeoutMs = 20_000 } = settings
  const waiting: Job[] = []
  const idle: Line[] = []
  const lines = new Set<Line>()
  let opening = 0
  let cappedUntil = 0
  let isClosing = false
  let whenEmpty: (() => void) | null = null

  function pump(): void {
    while (waiting.length > 0) {
      const line = idle.pop()
      if (line) run(line, waiting.shift() as Job)
      else if (lines.size + opening < connectionsMax() && opening < waiting.length) void open()
      else break
    }
    if (lines.size === 0 && opening === 0 && waiting.length === 0) whenEmpty?.()
  }

  /** A server that refused one more connection is not asked again for a while; it goes on with those it has. */
  function connectionsMax(): number {
    return Date.now() < cappedUntil ? Math.max(1, lines.size) : connections
  }

  async function open(): Promise<void> {
    opening++
    const opened = await openConnection(settings)
    opening--
    if (opened instanceof SMTPConnection) {
      const line: Line = { connection: opened, sent: 0, job: null, message: null }
      lines.add(line)
      // The engine announces the end before it answers the delivery that failed by it, and that answer knows more.
      opened.once('end', () => (line.job ? setImmediate(drop, line) : drop(line)))
      return release(line)
    }
    if (lines.size + opening > 0) cappedUntil = Date.now() + CAP_MS
    // With no connection at all, those who wait would fail one after the other, each after a whole time-out.
    else for (const job of waiting.splice(0)) job.settle(refusal(opened, 'connect'))
    pump()
  }

  function run(line: Line, job: Job): void {
    clearTimeout(line.idleTimer)
    const message = new RawMessage(job.raw)
    line.job = job
    line.message = message
    const { from, to } = job.envelope
    line.connection.send({ from, to: [to], size: job.raw.length }, message, (error, info) => {
      if (line.job !== job) return
      line.job = null
      line.message = null
      line.sent++
      if (!error) {
        job.settle({ outcome: 'sent', response: cleanResponse(info?.response ?? '') })
        return release(line)
      }
      conclude(line, job, message, error as SmtpError)
    })
  }

  function conclude(line: Line, job: Job, message: RawMessage, error: SmtpError): void {
    const isOver = error.responseCode === 421 || !error.responseCode || line.connection.destroyed
    // A connection that served before may have been closed meanwhile. The server never saw this message: once more.
    if (isOver && line.sent > 1 && !message.isBegun && !job.wasRetried && !isClosing) {
      job.wasRetried = true
      waiting.unshift(job)
    } else if (!error.responseCode && message.isGone) {
      job.settle({ outcome: 'unknown', reason: cleanResponse(error.message) })
    } else {
      job.settle(refusal(error, stageOf(error)))
    }
    if (isOver) return drop(line)
    line.connection.reset((resetError) => (resetError ? drop(line) : release(line)))
  }

  function release(line: Line): void {
    if (!lines.has(line)) return
    if (line.sent >= messagesPerConnection || (isClosing && waiting.length === 0)) {
      quit(line)
    } else {
      idle.push(line)
      line.idleTimer = setTimeout(() => quit(line), idleTimeoutMs).unref()
    }
    pump()
  }

  function quit(line: Line): void {
    forget(line)
    line.connection.quit()
  }

  function drop(line: Line): void {
    forget(line)
    const { job, message } = line
    line.job = null
    line.connection.close()
    if (job) {
      const reason = 'the connection was closed'
      job.settle(message?.isGone ? { outcome: 'unknown', reason } : refusal(new Error(reason), 'connect'))
    }
    pump()
  }

  function forget(line: Line): void {
    clearTimeout(line.idleTimer)
    lines.delete(line)
    const position = idle.indexOf(line)
    if (position >= 0) idle.splice(position, 1)
  }

  return {
    deliver: (raw, envelope) =>
      new Promise((settle) => {
        if (isClosing) return settle(refusal(new Error('the transport is closed'), 'connect'))
        waiting.push({ raw, envelope, wasRetried: false, settle })
        pump()
      }),
    async verify() {
      const opened = await openConnection(settings)
      if (!(opened instanceof SMTPConnection)) return { ok: false, reason: cleanResponse(opened.message) }
      opened.quit()
      return { ok: true }
    },
    async close() {
      isClosing = true
      for (const job of waiting.splice(0)) job.settle(refusal(new Error('the transport was closed'), 'connect'))
      for (const line of Array.from(idle)) quit(line)
      if (lines.size === 0 && opening === 0) return
      await new Promise<void>((resolve) => {
        const timer = setTimeout(() => Array.from(lines).forEach(drop), closeTimeoutMs)
        whenEmpty = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    },
  }
}

function stageOf(error: SmtpError): SmtpStage {
  if (error.command === 'MAIL FROM') return 'mail'
  if (error.command === 'RCPT TO') return 'rcpt'
  return error.command === 'DATA' ? 'message' : 'connect'
}

function refusal(error: SmtpError, stage: SmtpStage): Handover {
  if (error.responseCode)
    return classifyReply({ code: error.responseCode, text: error.response ?? error.message, stage })
  // No reply: either we never got through, or nodemailer compared the size with what the server had announced.
  if (error.code === 'EMESSAGE')
    return classifyReply({ code: 552, text: `552 5.3.4 ${error.message}`, stage: 'message' })
  return { outcome: 'deferred', code: 0, response: cleanResponse(error.message), scope: 'connection' }
}

/** The bytes of one message, which know how far they came: asked for by the server, and wholly on the wire. */
class RawMessage extends Readable {
  isBegun = false
  isGone = false
  readonly #raw: Buffer
  constructor(raw: Buffer) {
    super()
    this.#raw = raw
  }
  override pipe<T extends Writable | NodeJS.WritableStream>(target: T): T {
    this.isBegun = true
    // The engine's stream ends when the socket has taken the final dot as well.
    target.once('end', () => {
      this.isGone = true
    })
    target.end(this.#raw)
    return target
  }
  override _read(): void {
    this.push(null)
  }
}
