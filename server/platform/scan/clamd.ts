// ClamAV's daemon by its own protocol: `zINSTREAM`, then the content in chunks that each tell their length, a chunk of
// length zero, and one line of answer. Over TCP, or a unix socket on the same machine.
import { createConnection, type Socket } from 'node:net'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import type { Scanner, ScanResult } from './scan.ts'

export type ClamdOptions = {
  /** `tcp://host:3310` or `unix:///run/clamav/clamd.ctl`. */
  url: string
  connectTimeoutMs?: number
  /** Of silence, on either side. */
  idleTimeoutMs?: number
}

const chunkBytesMax = 256 * 1024
const answerLengthMax = 4_096

export function createClamdScanner(options: ClamdOptions): Scanner {
  const { connectTimeoutMs = 5_000, idleTimeoutMs = 60_000 } = options
  const target = parseClamdUrl(options.url)
  return {
    async scan(content) {
      let socket: Socket | undefined
      try {
        socket = await connect(target, connectTimeoutMs)
        socket.setTimeout(idleTimeoutMs, () => socket?.destroy(new Error('the scanner fell silent')))
        const answer = readAnswer(socket)
        // Both at once: a scanner that has seen enough answers, and hangs up, before the content ends.
        const sent = send(socket, content).then(
          () => null,
          (error: Error) => error,
        )
        // Of a file that cannot be read to its end, nobody waits for an answer.
        content.on('error', () => socket?.destroy())
        const line = await answer.catch(async (error: Error) => {
          throw whyUnanswered(content.errored, await sent, error)
        })
        return verdictOf(line)
      } catch (error) {
        return { verdict: 'unavailable', reason: error instanceof Error ? error.message : String(error) }
      } finally {
        content.destroy()
        socket?.destroy()
      }
    },
  }
}

export function parseClamdUrl(url: string): { host: string; port: number } | { path: string } {
  const parsed = new URL(url)
  if (parsed.protocol === 'unix:') return { path: decodeURIComponent(parsed.pathname) }
  return { host: parsed.hostname.replace(/^\[|\]$/g, ''), port: Number(parsed.port || 3310) }
}

async function connect(target: { host: string; port: number } | { path: string }, timeoutMs: number): Promise<Socket> {
  const socket = createConnection(target)
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(timeoutMs) })
  } catch (error) {
    socket.destroy()
    throw error
  }
  // Later errors are met where the socket is read or written.
  socket.on('error', () => {})
  return socket
}

async function send(socket: Socket, content: Readable): Promise<null> {
  await write(socket, Buffer.from('zINSTREAM\0'))
  for await (const piece of content as AsyncIterable<Buffer>) {
    for (let at = 0; at < piece.length; at += chunkBytesMax) {
      const chunk = piece.subarray(at, at + chunkBytesMax)
      const length = Buffer.alloc(4)
      length.writeUInt32BE(chunk.length)
      await write(socket, length)
      await write(socket, chunk)
    }
  }
  await write(socket, Buffer.alloc(4))
  return null
}

function write(socket: Socket, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => socket.write(bytes, (error) => (error ? reject(error) : resolve())))
}

function readAnswer(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1')
      if (text.includes('\0') || text.length > answerLengthMax) resolve(text)
    })
    socket.on('error', reject)
    socket.on('close', () => (text ? resolve(text) : reject(new Error('the scanner hung up without an answer'))))
  })
}

/** A scanner that hangs up before the end has mostly said why, and its answer is lost where more was on its way to it. */
function whyUnanswered(unread: Error | null, unsent: Error | null, unanswered: Error): Error {
  if (unread) return unread
  if (!unsent || /fell silent/.test(unanswered.message)) return unanswered
  const why = 'perhaps the file is larger than it takes (StreamMaxLength)'
  return new Error(`the scanner hung up before the end (${unsent.message}); ${why}`, { cause: unanswered })
}

/** `stream: OK`, `stream: Win.Test.EICAR_HDB-1 FOUND`, `INSTREAM size limit exceeded. ERROR`. */
function verdictOf(answer: string): ScanResult {
  const line = (answer.split('\0')[0] ?? '').trim()
  if (/^stream: OK$/.test(line)) return { verdict: 'clean' }
  const found = /^stream: (.+) FOUND$/.exec(line)
  // With AlertExceedsMax: it has not read all, and found nothing in the rest.
  const limit = /^Heuristics\.Limits\.Exceeded\.(\w+)/.exec(found?.[1] ?? '')
  if (limit) return { verdict: 'unavailable', reason: `the file goes past a limit of the scanner (${limit[1]})` }
  if (found) return { verdict: 'infected', signature: found[1]!.slice(0, 200) }
  if (/size limit exceeded/i.test(line))
    return { verdict: 'unavailable', reason: 'the file is larger than the scanner takes (StreamMaxLength)' }
  return { verdict: 'unavailable', reason: `the scanner said ${JSON.stringify(line.slice(0, 200))}` }
}
