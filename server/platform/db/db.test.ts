// A transaction is the only way in, stays in its workspace, and leaves nothing behind when it fails.
import { afterAll, beforeAll, expect, test } from 'vitest'
import pino from 'pino'
import { createApp } from '#server/app.ts'
import { start, testSecretKey, tokenOf, type TestApp } from '#testing/start.ts'
import { startTcpProxy } from '#testing/tcp-proxy.ts'
import { openDb, type Tx } from './db.ts'

let app: TestApp
beforeAll(async () => {
  app = await start()
})
afterAll(() => app[Symbol.asyncDispose]())

const db = () => app.app.runtime.db
const jobs = async (tx: Tx) => (await tx.rawQuery<{ n: number }>('select count(*) as n from platform.jobs')).rows[0]?.n

test('a failure takes back the rows, the events, the jobs and the effects', async () => {
  let effects = 0
  const attempt = app.inTx(async (tx) => {
    await tx.publish('probe.never', 'x', {})
    await tx.enqueue('accounts.mail', {}).catch(() => {})
    tx.afterCommit(() => (effects += 1))
    throw new Error('no')
  })
  await expect(attempt).rejects.toThrow('no')
  expect(effects).toBe(0)
  expect(await app.drainEvents()).toEqual([])
  expect(await app.inTx(jobs)).toBe(0)
})

test('a failed statement whose error was swallowed does not pass for a commit', async () => {
  let effects = 0
  const attempt = app.inTx(async (tx) => {
    await tx.publish('probe.swallowed', 'x', {})
    tx.afterCommit(() => (effects += 1))
    await tx.rawQuery('select 1/0').catch(() => {})
  })
  await expect(attempt).rejects.toThrow('rolled back')
  expect([effects, await app.drainEvents()]).toEqual([0, []])
})

test('a failing effect does not undo what is done, nor keep others from theirs', async () => {
  let effects = 0
  const result = await app.inTx(async (tx) => {
    tx.afterCommit(() => {
      throw new Error('too late')
    })
    tx.afterCommit(() => (effects += 1))
    return 'done'
  })
  expect([result, effects]).toEqual(['done', 1])
})

test('work that was left behind does not reach the next transaction on its connection', async () => {
  let leaked: Tx | undefined
  await app.inTx(async (tx) => void (leaked = tx))
  await db().transaction(app.world.otherWorkspaceId, async () => {
    await expect(leaked!.rawQuery('select 1')).rejects.toThrow('has ended')
    await expect(leaked!.publish('probe.late', 'x', {})).rejects.toThrow('has ended')
    await expect(leaked!.copyIn('copy platform.outbox from stdin', (async function* () {})())).rejects.toThrow(
      'has ended',
    )
  })
})

test('outside of a workspace no tenant has rows, and none can be written', async () => {
  await app.inTx((tx) =>
    tx.rawQuery("insert into platform.jobs (workspace_id, id, kind, data) values ($1, $1, 'probe', '{}')", [
      tx.workspaceId,
    ]),
  )
  expect(await db().transaction('system', jobs)).toBe(0)
  expect(await db().transaction(app.world.otherWorkspaceId, jobs)).toBe(0)
  expect(await app.inTx(jobs)).toBe(1)
  await db().transaction('system', async (tx) => expect(() => tx.workspaceId).toThrow('outside of any workspace'))
  const smuggle = db().transaction(app.world.otherWorkspaceId, (tx) =>
    tx.rawQuery("insert into platform.jobs (workspace_id, id, kind, data) values ($1, $1, 'probe', '{}')", [
      app.world.workspaceId,
    ]),
  )
  await expect(smuggle).rejects.toThrow('row-level security')
  for (const scope of ["'; drop schema platform cascade; --", '', 'SYSTEM']) {
    await expect(db().transaction(scope, async () => {})).rejects.toThrow('needs a workspace id')
  }
})

test('the application cannot become its owner, nor change the shape of anything', async () => {
  for (const statement of [
    'alter table platform.jobs disable row level security',
    'create table public.x ()',
    'truncate platform.jobs',
    'drop policy tenant on platform.jobs',
  ]) {
    await expect(
      app.inTx((tx) => tx.rawQuery(statement)),
      statement,
    ).rejects.toThrow(/must be owner|permission denied/)
  }
  const { rows } = await app.inTx((tx) =>
    tx.rawQuery<{ super: boolean; bypass: boolean; me: string }>(
      'select rolsuper as super, rolbypassrls as bypass, current_user as me from pg_roles where rolname = current_user',
    ),
  )
  expect(rows).toEqual([{ super: false, bypass: false, me: 'rapport_app' }])
})

test('three thousand mixed transactions with aborts: no row of another workspace is ever seen', async () => {
  const workspaces = [app.world.workspaceId, app.world.otherWorkspaceId]
  const id = (n: number) => `00000000-0000-7000-8000-${String(n).padStart(12, '0')}`
  let wrong = 0
  let aborted = 0
  let stray: Promise<unknown>[] = []
  const one = async (n: number) => {
    const scope = n % 7 === 0 ? 'system' : workspaces[n % 2]!
    await db()
      .transaction(scope, async (tx) => {
        if (n % 5 === 0 && scope !== 'system')
          await tx.rawQuery("insert into platform.jobs (workspace_id, id, kind, data) values ($1, $2, 'leak', '{}')", [
            scope,
            id(n),
          ])
        // Some leave work behind, as a forgotten await does.
        if (n % 11 === 0)
          stray.push(
            Promise.resolve()
              .then(() => tx.rawQuery('select pg_sleep(0)'))
              .catch(() => {}),
          )
        if (n % 3 === 0) throw new Error('abort')
        if (n % 13 === 0) await tx.rawQuery('select nonsense')
        const { rows } = await tx.rawQuery<{ workspace_id: string }>('select distinct workspace_id from platform.jobs')
        wrong += rows.filter((row) => row.workspace_id !== scope).length
      })
      .catch(() => (aborted += 1))
  }
  for (let n = 1; n <= 3_000; n += 50) await Promise.all(Array.from({ length: 50 }, (_, offset) => one(n + offset)))
  await Promise.all(stray)
  stray = []
  expect([wrong, aborted > 900]).toEqual([0, true])
  expect(db().pool.waiting).toBe(0)
})

test('numbers are drawn at once: nobody waits, nobody gets another’s, and those of a failure are missing', async () => {
  const [one, both, third] = await app.inTx(async (tx) => {
    const first = await tx.draw('probe')
    // Were it this transaction's until its end, the other would wait for it, and this one for the other.
    const others = await app.inTx((other) => other.draw('probe', 3))
    return [first, others, await tx.draw('probe')]
  })
  expect([one, both, third]).toEqual([1, 2, 5])
  await app
    .inTx(async (tx) => {
      await tx.draw('probe')
      throw new Error('no')
    })
    .catch(() => {})
  const drawn = await Promise.all(Array.from({ length: 40 }, () => app.inTx((tx) => tx.draw('probe'))))
  expect(drawn.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, n) => 7 + n))
  const stranger = db().transaction(app.world.otherWorkspaceId, (tx) => tx.draw('probe'))
  expect(await stranger).toBe(1)
})

test('what is asked again and again is planned once a connection, but for all columns and for pages', async () => {
  const kept = async (marker: string) => {
    const texts = await app.inTx(async (tx) => {
      for (let n = 0; n < 30; n++) {
        await tx.rawQuery(`select count(*), ${n}::int, '${marker} lists' from platform.jobs where kind = $1`, ['x'])
        await tx.rawQuery(`select id, '${marker} same' from platform.jobs where kind = $1`, ['x'])
        await tx.rawQuery(`select *, '${marker} all' from platform.jobs where kind = $1`, ['x'])
        await tx.rawQuery(`select id, '${marker} page' from platform.jobs limit $1`, [1])
      }
      const { rows } = await tx.rawQuery<{ statement: string }>('select statement from pg_prepared_statements')
      return rows.map(({ statement }) => statement)
    })
    return texts.filter((text) => text.includes(marker))
  }
  expect(await kept('probe')).toEqual([`select id, 'probe same' from platform.jobs where kind = $1`])
})

test('a slow query is logged and counted with its text, and never with its values', async () => {
  const lines: string[] = []
  let counted = 0
  const log = pino({ level: 'warn' }, { write: (line: string) => void lines.push(line) })
  const slow = openDb({
    url: app.databaseUrl,
    poolMax: 1,
    log,
    slowQueryMs: 20,
    onSlowQuery: () => (counted += 1),
    applicationName: 'probe',
  })
  await slow.transaction('system', (tx) => tx.rawQuery('select pg_sleep(0.05), $1::text', ['anna@secret.example']))
  await slow.close()
  expect([lines.length, counted]).toEqual([1, 1])
  expect(lines[0]).toContain('pg_sleep')
  expect(lines[0]).not.toContain('anna@secret.example')
})

test('a connection that breaks is replaced, and the request after it is served', async () => {
  const killing = app.inTx((tx) => tx.rawQuery('select pg_terminate_backend(pg_backend_pid())'))
  await expect(killing).rejects.toThrow()
  expect(await app.inTx(jobs)).toBeGreaterThan(0)
})

test('while the database is away, /status says so and requests get 503 with Retry-After; then all is well again', async () => {
  await using proxy = await startTcpProxy(Number(new URL(app.databaseUrl).port))
  const databaseUrl = new URL(app.databaseUrl)
  databaseUrl.port = String(proxy.port)
  const { config, log } = app.app.runtime
  const second = await createApp({
    config,
    databaseUrl: databaseUrl.href,
    secretKey: testSecretKey,
    log,
    works: false,
    webFolder: null,
  })
  const authorization = `Bearer ${await tokenOf(app.world.people.anna, app.world.workspaceId)}`
  const get = (url: string) => second.http.inject({ url, headers: { authorization } })
  try {
    expect([(await get('/status')).statusCode, (await get('/api/v1/jobs')).statusCode]).toEqual([200, 200])
    proxy.cut()
    const [health, status, request] = [await get('/health'), await get('/status'), await get('/api/v1/jobs')]
    expect([health.statusCode, status.statusCode, request.statusCode]).toEqual([200, 503, 503])
    expect(status.json()).toEqual({ status: 'unavailable', database: 'disconnected' })
    expect(request.json()).toMatchObject({ code: 'database_unavailable' })
    expect([status.headers['retry-after'], request.headers['retry-after']]).toEqual(['5', '5'])
    expect(request.body).not.toMatch(/127\.0\.0\.1|ECONN|stack|select/)
    proxy.mend()
    expect([(await get('/status')).statusCode, (await get('/api/v1/jobs')).statusCode]).toEqual([200, 200])
  } finally {
    await second.close()
  }
})
