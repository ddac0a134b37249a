/**
 * How soon Rapport is there: `npm run bench -- start [rounds]`.
 *
 * Each round: bare Node with Fastify from the spawn to its first 200; Rapport on an empty data folder, and once more on
 * the same folder, each to the first 200 of a real request (one that asks the database). Libraries are installed and
 * the web application is built. Then the memory of the idle program, PostgreSQL left out, and Ctrl-C.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { readEnv } from '../server/config.ts'
import { report, usageOf, type Usage } from './report.ts'

const [rounds = 5, idleSeconds = 20] = process.argv.slice(2).map(Number)
const project = path.join(import.meta.dirname, '..')
const folder = mkdtempSync(path.join(tmpdir(), 'rapport-bench-start-'))
/** The search path and home alone: settings of this machine must not decide what is measured. */
const outside = readEnv()
const running = new Set<ChildProcess>()

try {
  const hello: number[] = []
  const cold: number[] = []
  const warm: number[] = []
  const stop: number[] = []
  for (let round = 0; round < rounds; round++) {
    hello.push(await timeHello())
    const dataDir = path.join(folder, `data-${round}`)
    for (const times of [cold, warm]) {
      const started = await startRapport(dataDir)
      times.push(started.seconds)
      stop.push(await pressCtrlC(started.child))
    }
    rmSync(dataDir, { recursive: true })
  }
  const idle = await measureIdle()
  const met = report(
    'start',
    [
      { what: 'bare Node and Fastify', unit: 's', values: hello },
      { what: 'first start, empty data folder', unit: 's', values: cold },
      { what: 'later start', unit: 's', values: warm, aim: { atMost: 3 } },
      {
        what: 'later start, as a multiple of bare',
        unit: '×',
        values: warm.map((seconds, round) => seconds / hello[round]!),
      },
      { what: 'Ctrl-C to the end', unit: 's', values: stop },
      ...(idle
        ? [
            {
              what: `idle memory after ${idleSeconds} s, without PostgreSQL`,
              unit: 'MiB',
              values: [idle.residentMiB],
              aim: { atMost: 300 },
            },
            { what: 'highest memory until then', unit: 'MiB', values: [idle.peakMiB] },
            { what: 'processor time until then', unit: 's', values: [idle.cpuSeconds] },
          ]
        : []),
    ],
    { node: process.version, rounds },
  )
  process.exitCode = met ? 0 : 1
} finally {
  for (const child of running) child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
}

async function timeHello(): Promise<number> {
  const port = await freePort()
  const startedAt = performance.now()
  const child = launch([path.join(import.meta.dirname, 'workers/hello.ts'), String(port)], {})
  await firstAnswer(child, `http://127.0.0.1:${port}/`)
  const seconds = (performance.now() - startedAt) / 1_000
  await pressCtrlC(child)
  return seconds
}

/** Through the launcher, as `npm start` does it. `/setup` asks the database whether anybody is here. */
async function startRapport(dataDir: string): Promise<{ child: ChildProcess; seconds: number }> {
  const port = await freePort()
  const startedAt = performance.now()
  const child = launch([path.join(project, 'bin/launch.cjs'), 'serve'], {
    DATA_DIR: dataDir,
    PORT: String(port),
    HOST: '127.0.0.1',
    LOG_LEVEL: 'warn',
  })
  await firstAnswer(child, `http://127.0.0.1:${port}/api/v1/setup`)
  return { child, seconds: (performance.now() - startedAt) / 1_000 }
}

/** The Node processes of the launcher's family: the launcher itself and the program. */
async function measureIdle(): Promise<Usage | null> {
  const { child } = await startRapport(path.join(folder, 'data-idle'))
  await pause(idleSeconds * 1_000)
  const usages = (await familyOf(child.pid!)).map(usageOf)
  await pressCtrlC(child)
  const known = usages.filter((usage) => usage !== null)
  if (!known.length) return null
  const sum = (name: keyof Usage): number => known.reduce((total, usage) => total + usage[name], 0)
  return { residentMiB: sum('residentMiB'), peakMiB: sum('peakMiB'), cpuSeconds: sum('cpuSeconds') }
}

async function familyOf(pid: number): Promise<number[]> {
  if (!existsSync('/proc')) return []
  const listing = spawn('ps', ['-e', '-o', 'pid=,ppid=,comm='])
  let text = ''
  listing.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()))
  await once(listing, 'close')
  const rows = text
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
  const family = [pid]
  for (const parent of family) {
    for (const [id, parentId, command] of rows) {
      if (Number(parentId) === parent && command !== 'postgres' && Number(id) !== listing.pid) family.push(Number(id))
    }
  }
  return family
}

function launch(args: string[], env: Record<string, string>): ChildProcess {
  const child = spawn(process.execPath, args, {
    cwd: project,
    env: { PATH: outside.PATH, HOME: outside.HOME, ...env },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  running.add(child)
  child.once('exit', () => running.delete(child))
  return child
}

async function firstAnswer(child: ChildProcess, address: string): Promise<void> {
  for (;;) {
    const reply = await fetch(address).catch(() => null)
    if (reply?.status === 200) return
    if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode} before it answered`)
    await pause(5)
  }
}

/** Answers the seconds until it was gone; one that does not end in good order fails the run. */
async function pressCtrlC(child: ChildProcess): Promise<number> {
  const startedAt = performance.now()
  const ended = once(child, 'exit') as Promise<[number | null, string | null]>
  child.kill('SIGINT')
  const [code, signal] = await ended
  if (code !== 0 && !(code === null && signal === 'SIGINT')) throw new Error(`Ctrl-C ended it with ${code ?? signal}`)
  return (performance.now() - startedAt) / 1_000
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  probe.close()
  await once(probe, 'close')
  return port
}
