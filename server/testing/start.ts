/**
 * The whole application on a database of its own, cloned from a migrated template on the suite's one server. Requests go
 * through the real HTTP layer; mail stays in the sandbox; background work runs when a test drains it.
 */
import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { SignJWT } from 'jose'
import pg from 'pg'
import { inject } from 'vitest'
import { createApp, prepareDatabase, type App } from '../app.ts'
import { toConfig } from '../config.ts'
import type { ServiceName } from '../config/services.ts'
import { modules } from '../modules.ts'
import type { Tx } from '../platform/db/db.ts'
import type { Module } from '../platform/module.ts'
import { createLog } from '../platform/observe/log.ts'
import { makeWorld, type World } from './world.ts'

export const testSecretKey = 'a-secret-key-that-only-the-tests-know-0123456789'

// Tests read replies of every shape.
// oxlint-disable-next-line typescript/no-explicit-any
export interface TestReply<Body = Record<string, any>> {
  status: number
  body: Body
  text: string
  headers: Record<string, string | string[] | number | undefined>
}

export interface Client {
  request(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<TestReply>
  get(path: string, headers?: Record<string, string>): Promise<TestReply>
  post(path: string, body?: unknown, headers?: Record<string, string>): Promise<TestReply>
  put(path: string, body?: unknown, headers?: Record<string, string>): Promise<TestReply>
  patch(path: string, body?: unknown, headers?: Record<string, string>): Promise<TestReply>
  delete(path: string, body?: unknown, headers?: Record<string, string>): Promise<TestReply>
}

export interface SentMail {
  raw: string
  to: string
  envelopeFrom: string
}

export interface TestApp extends AsyncDisposable {
  app: App
  world: World
  databaseUrl: string
  /** One of the people of the world, by first name. */
  as(name: keyof World['people']): Client
  /** The owner of another workspace. */
  stranger: Client
  anonymous: Client
  /** Runs jobs, reactions and workers until nothing is left to do. */
  drain(): Promise<void>
  /** Names of the events published since the last call (or the start), oldest first. */
  drainEvents(): Promise<string[]>
  /** A transaction in the workspace. */
  inTx<T>(run: (tx: Tx) => Promise<T>): Promise<T>
  /** What the sandbox transport was given, oldest first. */
  mails(): SentMail[]
}

/** `probe` is a module of the test's own, mounted beside the others; `service` starts in a service mode. */
export async function start(
  environment: Record<string, string> = {},
  probe?: Omit<Module, 'name'>,
  service: ServiceName | null = null,
): Promise<TestApp> {
  const serverUrl = inject('databaseUrl')
  const log = createLog({ level: environment.LOG_LEVEL ?? 'silent', name: 'test' })
  const name = `test_${randomBytes(6).toString('hex')}`
  await cloneTemplate(serverUrl, name)
  const databaseUrl = withDatabase(serverUrl, name)
  const all = probe ? [...modules, { name: 'probe', ...probe }] : modules
  if (probe) await prepareDatabase(databaseUrl, log, all)
  const dataDir = mkdtempSync(path.join(tmpdir(), 'rapport-files-'))
  const redisUrl = inject('redisUrl')
  const config = toConfig(
    {
      APP_ENV: 'test',
      DATA_DIR: dataDir,
      RATE_LIMIT_PER_MINUTE: '1000000',
      ...(redisUrl ? { REDIS_URL: redisUrl, REDIS_PREFIX: name } : {}),
      ...environment,
    },
    service,
  )
  const mails: SentMail[] = []
  const app = await createApp({
    config,
    databaseUrl,
    secretKey: testSecretKey,
    log,
    works: false,
    webFolder: null,
    modules: all,
    onSandboxMail: async (raw, envelope) =>
      void mails.push({ raw: raw.toString('utf8'), to: envelope.to, envelopeFrom: envelope.from }),
  })
  await app.http.ready()
  const world = await makeWorld(app.runtime.db)
  let seen = 0
  const drain = () => app.worker.drain()
  const inTx = <T>(run: (tx: Tx) => Promise<T>): Promise<T> => app.runtime.db.transaction(world.workspaceId, run)

  return {
    app,
    world,
    databaseUrl,
    as: (person) => clientOf(app, tokenOf(world.people[person], world.workspaceId)),
    stranger: clientOf(app, tokenOf(world.stranger, world.otherWorkspaceId)),
    anonymous: clientOf(app, null),
    drain,
    async drainEvents() {
      await drain()
      const rows = await readEvents(databaseUrl, seen)
      seen = rows.at(-1)?.seq ?? seen
      return rows.map((row) => row.event)
    },
    inTx,
    mails: () => mails,
    async [Symbol.asyncDispose]() {
      await app.close()
      rmSync(dataDir, { recursive: true, force: true })
      await onServer(serverUrl, (admin) => admin.query(`drop database if exists ${name} with (force)`))
    },
  }
}

async function readEvents(databaseUrl: string, after: number): Promise<{ seq: number; event: string }[]> {
  return onServer(databaseUrl, async (admin) => {
    const { rows } = await admin.query<{ seq: number; event: string }>(
      `select seq, event from platform.outbox, jsonb_array_elements(case when is_bundle then data else '[null]' end)
       where seq > $1 order by seq`,
      [after],
    )
    return rows
  })
}

/** The bearer token that an outside auth service would give this person. */
export function tokenOf(
  person: { id: string; email: string; role: string; name: string },
  workspaceId: string,
): Promise<string> {
  return new SignJWT({ email: person.email, name: person.name, workspace_id: workspaceId, role: person.role })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(person.id)
    .setExpirationTime('1h')
    .sign(new TextEncoder().encode(testSecretKey))
}

/** A client of this application; without a token it is nobody. */
export function clientOf(app: App, token: Promise<string> | null): Client {
  const send = async (
    method: string,
    address: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<TestReply> => {
    const url = address.startsWith('//') ? address.slice(1) : `/api/v1${address}`
    const authorization: Record<string, string> = token ? { authorization: `Bearer ${await token}` } : {}
    const reply = await app.http.inject({
      method: method as 'GET',
      url,
      headers: { ...authorization, ...headers },
      ...(body === undefined ? {} : { payload: body as string }),
    })
    const isJson = String(reply.headers['content-type'] ?? '').includes('json')
    return {
      status: reply.statusCode,
      body: isJson && reply.body ? reply.json() : {},
      text: reply.body,
      headers: reply.headers,
    }
  }
  return {
    request: send,
    get: (address, headers) => send('GET', address, undefined, headers),
    post: (address, body, headers) => send('POST', address, body, headers),
    put: (address, body, headers) => send('PUT', address, body, headers),
    patch: (address, body, headers) => send('PATCH', address, body, headers),
    delete: (address, body, headers) => send('DELETE', address, body, headers),
  }
}

/** Migrates once per state of the migrations; every other start copies files. */
async function cloneTemplate(serverUrl: string, name: string): Promise<void> {
  const template = `rapport_template_${await migrationsHash()}`
  await onServer(serverUrl, async (admin) => {
    await admin.query('select pg_advisory_lock(7276773)') // released when the connection ends
    const { rowCount } = await admin.query('select from pg_database where datname = $1', [template])
    if (!rowCount) {
      const draft = `${template}_draft`
      await admin.query(`drop database if exists ${draft} with (force)`)
      await admin.query(`create database ${draft}`)
      await prepareDatabase(withDatabase(serverUrl, draft), createLog({ level: 'error', name: 'test' }))
      await admin.query(`alter database ${draft} rename to ${template}`)
    }
    await admin.query(`create database ${name} template ${template}`)
  })
}

async function migrationsHash(): Promise<string> {
  const hash = createHash('sha256')
  const folders = [
    path.join(import.meta.dirname, '../platform/db/migrations'),
    ...modules.flatMap((module) => module.migrations ?? []),
  ]
  for (const folder of folders) {
    for (const file of (await readdir(folder)).toSorted()) hash.update(await readFile(path.join(folder, file)))
  }
  for (const module of modules)
    hash.update(JSON.stringify([module.jobs?.map((job) => job.kind), module.schedule?.map((task) => task.name)]))
  return hash.digest('hex').slice(0, 12)
}

function withDatabase(serverUrl: string, name: string): string {
  const url = new URL(serverUrl)
  url.pathname = `/${name}`
  return url.href
}

async function onServer<T>(url: string, run: (admin: pg.Client) => Promise<T>): Promise<T> {
  const admin = new pg.Client({ connectionString: url })
  await admin.connect()
  try {
    return await run(admin)
  } finally {
    await admin.end()
  }
}
