/**
 * A real ClamAV daemon for tests, with a configuration and a signature database of its own in a folder that goes with it: it
 * knows the EICAR test file, wherever it lies in a file.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { vi } from 'vitest'
import { freePorts } from './free-ports.ts'

const program = '/usr/sbin/clamd'

/** The file that every scanner takes for a virus; in two halves, or scanners would take this one for it. */
export const eicar = ['X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR', '-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*'].join('')

/** Whether tests may start one; says why not. */
export function hasClamd(): boolean {
  const isThere = existsSync(program)
  if (!isThere) console.warn('Skipped: ClamAV’s daemon is not installed here (clamav-daemon).')
  return isThere
}

export interface Clamd extends AsyncDisposable {
  /** By TCP and by a socket file. */
  urls: { tcp: string; unix: string }
  kill(): Promise<void>
  /** It lives, and says nothing any more. */
  freeze(): void
  thaw(): void
  start(): Promise<void>
}

export async function startClamd(settings: { streamBytesMax: number; fileBytesMax?: number }): Promise<Clamd> {
  const folder = mkdtempSync(path.join(tmpdir(), 'clamd-'))
  const [port] = await freePorts(1)
  const socket = path.join(folder, 'clamd.ctl')
  mkdirSync(path.join(folder, 'signatures'))
  const signatures = [`Test.Eicar:0:*:${Buffer.from(eicar).toString('hex')}`, '']
  writeFileSync(path.join(folder, 'signatures', 'test.ndb'), signatures.join('\n'))
  writeFileSync(
    path.join(folder, 'clamd.conf'),
    `Foreground yes
LogFile ${folder}/log
DatabaseDirectory ${folder}/signatures
TemporaryDirectory ${folder}
LocalSocket ${socket}
FixStaleSocket yes
TCPAddr 127.0.0.1
TCPSocket ${port}
StreamMaxLength ${settings.streamBytesMax}
${settings.fileBytesMax ? `MaxFileSize ${settings.fileBytesMax}\nAlertExceedsMax yes` : ''}
MaxThreads 4
SelfCheck 0
`,
  )
  let running: ChildProcess | undefined

  async function start(): Promise<void> {
    running = spawn(program, ['--config-file', path.join(folder, 'clamd.conf')], { stdio: 'ignore' })
    try {
      await vi.waitFor(() => ping(port!), { timeout: 30_000, interval: 50 })
    } catch (error) {
      await kill()
      const log = existsSync(`${folder}/log`) ? readFileSync(`${folder}/log`, 'utf8').slice(-2_000) : 'no log'
      throw new Error(`clamd does not start: ${log}`, { cause: error })
    }
  }

  async function kill(): Promise<void> {
    const child = running
    running = undefined
    if (!child || child.exitCode !== null || child.signalCode) return
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }

  await start()
  return {
    urls: { tcp: `tcp://127.0.0.1:${port}`, unix: `unix://${socket}` },
    kill,
    freeze: () => void running?.kill('SIGSTOP'),
    thaw: () => void running?.kill('SIGCONT'),
    start,
    async [Symbol.asyncDispose]() {
      await kill()
      rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
    },
  }
}

async function ping(port: number): Promise<void> {
  const socket = createConnection({ host: '127.0.0.1', port })
  try {
    await once(socket, 'connect')
    socket.write('zPING\0')
    const [answer] = (await once(socket, 'data')) as [Buffer]
    if (answer.toString() !== 'PONG\0') throw new Error(`clamd said ${answer.toString()}`)
  } finally {
    socket.destroy()
  }
}
