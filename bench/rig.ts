/**
 * What the benchmarks of sending share: a database of their own, a sink that counts in a process of its own, and real
 * Rapport processes beside them.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { SignJWT } from 'jose'
import pg from 'pg'
import { prepareDatabase } from '../server/app.ts'
import { readEnv } from '../server/config.ts'
import { startEmbedded } from '../server/platform/db/embedded.ts'
import { newId } from '../server/platform/ids.ts'
import { createLog } from '../server/platform/observe/log.ts'

const secretKey = 'a-secret-key-that-only-the-benchmarks-know-0123'
const mainFile = path.join(import.meta.dirname, '../server/main.ts')

export interface SinkCounts {
  accepted: number
  recipients: number
  repeatedRecipients: number
  repeatedMessages: number
}

export interface Rig extends AsyncDisposable {
  workspaceId: string
  sql: pg.Client
  sink: { smtpUrl: string; counts(): Promise<SinkCounts>; reset(): Promise<void> }
  /** A request to the API as the workspace's owner; rejects unless it succeeds. */
  call(method: string, path: string, body?: object): Promise<Record<string, unknown>>
  startWorker(environment?: Record<string, string>): Promise<ChildProcess>
}

export async function startRig(environment: Record<string, string> = {}): Promise<Rig> {
  const folder = mkdtempSync(path.join(tmpdir(), 'rapport-bench-'))
  const log = createLog({ level: 'warn', name: 'bench' })
  const embedded = await startEmbedded({
    dataDir: path.join(folder, 'data'),
    log: { info() {}, warn: console.warn, error: console.error },
  })
  await prepareDatabase(embedded.url, log)
  const sql = new pg.Client({ connectionString: embedded.url })
  await sql.connect()
  const workspaceId = newId()
  await sql.query(`insert into accounts.workspaces (id, name, slug) values ($1, 'Bench', 'bench')`, [workspaceId])

  const children: ChildProcess[] = []
  const sinkProcess = spawn(process.execPath, [path.join(import.meta.dirname, 'smtp-sink.ts')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.push(sinkProcess)
  const [line] = (await once(createInterface({ input: sinkProcess.stdout }), 'line')) as [string]
  const ports = JSON.parse(line) as { smtp: number; http: number }
  const smtpUrl = `smtp://127.0.0.1:${ports.smtp}?tls=none`
  const port = await freePort()
  const shared = {
    ...readEnv(),
    DATABASE_URL: embedded.url,
    DATA_DIR: folder,
    SECRET_KEY: secretKey,
    SMTP_URL: smtpUrl,
    PORT: String(port),
    LOG_LEVEL: 'warn',
    RATE_LIMIT_PER_MINUTE: '1000000',
    ...environment,
  } as Record<string, string>
  const start = async (role: string, more: Record<string, string> = {}): Promise<ChildProcess> => {
    // Memory is one of the things measured: the worker gets a bound, so that garbage is not mistaken for need.
    const child = spawn(
      process.execPath,
      ['--max-semi-space-size=16', '--max-old-space-size=256', mainFile, 'serve', '--role', role],
      {
        env: { ...shared, ...more },
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    )
    children.push(child)
    await once(child.stdout, 'data')
    child.stdout.resume()
    return child
  }
  await start('api')
  const token = await new SignJWT({ email: 'bench@bench.example', workspace_id: workspaceId, role: 'owner' })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(newId())
    .setExpirationTime('6h')
    .sign(new TextEncoder().encode(secretKey))

  return {
    workspaceId,
    sql,
    sink: {
      smtpUrl,
      counts: async () => (await (await fetch(`http://127.0.0.1:${ports.http}/`)).json()) as SinkCounts,
      reset: async () => void (await fetch(`http://127.0.0.1:${ports.http}/`, { method: 'DELETE' })),
    },
    async call(method, address, body) {
      const reply = await fetch(`http://127.0.0.1:${port}/api/v1${address}`, {
        method,
        headers: { authorization: `Bearer ${token}`, ...(body ? { 'content-type': 'application/json' } : {}) },
        ...(body ? { body: JSON.stringify(body) } : {}),
      })
      const answer = (await reply.json()) as Record<string, unknown>
      if (!reply.ok) throw new Error(`${method} ${address} answered ${reply.status}: ${JSON.stringify(answer)}`)
      return answer
    },
    startWorker: (more) => start('worker', more),
    async [Symbol.asyncDispose]() {
      await sql.end()
      for (const child of children) {
        if (child.exitCode !== null || child.signalCode !== null) continue
        child.kill('SIGTERM')
        await Promise.race([once(child, 'exit'), pause(20_000)])
      }
      await embedded.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** People who agreed to marketing, in one list; made in the database, because making them is another benchmark. */
export async function makeAudience(rig: Rig, size: number): Promise<string> {
  const list = await rig.call('POST', '/lists', { name: `Everybody ${size} ${Date.now()}` })
  await rig.sql.query(
    `with people as (
       insert into contacts.contacts (workspace_id, id, email, first_name, last_name, company, language, marketing_subscribed, tracking_allowed, custom_fields)
       select $1::uuid, gen_random_uuid(), 'guest' || n || '.' || $4 || '@d' || (n % 50) || '.guests.example', 'Guest', 'Number ' || n,
         'Company ' || (n % 1000), 'fr', true, true, jsonb_build_object('table', n % 40)
       from generate_series(1, $3) as n returning id)
     insert into contacts.list_members (workspace_id, list_id, contact_id) select $1::uuid, $2::uuid, id from people`,
    [rig.workspaceId, list.id, size, Date.now().toString(36)],
  )
  await rig.sql.query('analyze contacts.contacts, contacts.list_members')
  return String(list.id)
}

/** A mail such as people write: some merge fields, a loop's worth of links, a pixel. */
export const mailHtml = `<html><body style="font-family:sans-serif"><h1>Le menu de la semaine</h1>
<p>Bonjour {{contact.first_name}} {{contact.last_name}},</p>
<p>Votre table {{contact.custom_fields.table}} vous attend chez {{workspace.name}}. {{#if contact.company}}Bonjour aussi à {{contact.company}}.{{/if}}</p>
${Array.from({ length: 8 }, (_, n) => `<p>Plat ${n}: une description un peu longue, comme on en écrit, avec du thym et du citron. <a href="https://moulin.example/plats/${n}?source=mail">Voir</a></p>`).join('\n')}
<p><a href="https://moulin.example/reserver">Réserver</a></p></body></html>`

export async function makeCampaign(rig: Rig, listId: string): Promise<string> {
  const campaign = await rig.call('POST', '/communication/campaigns', {
    name: 'Bench',
    target_audience: { list_ids: [listId] },
    channels: [
      {
        type: 'email',
        config: { subject: 'Le menu, {{contact.first_name}}', from_email: 'menu@moulin.example' },
        content_template: mailHtml,
      },
    ],
  })
  return String(campaign.id)
}

/** Resident memory of a process and its peak, in MiB. */
export function memoryOf(child: ChildProcess): { now: number; peak: number } {
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8')
  const read = (name: string): number =>
    Math.round(Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? 0) / 1024)
  return { now: read('VmRSS'), peak: read('VmHWM') }
}

export async function until(condition: () => Promise<boolean>, timeoutMs: number, everyMs = 100): Promise<void> {
  const deadline = Date.now() + timeoutMs
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error('it took too long')
    await pause(everyMs)
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  return port
}
