/** What is mounted, judged as a whole: doors, tables and lists of the real application. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { start, type TestApp } from '#testing/start.ts'
import { compileAll } from './platform/http/compiling.ts'
import type { ApiDocument } from './platform/http/openapi.ts'
import { modules } from './modules.ts'

let app: TestApp
let document: ApiDocument
beforeAll(async () => {
  app = await start()
  document = (await app.anonymous.get('//openapi.json')).body as unknown as ApiDocument
})
afterAll(() => app[Symbol.asyncDispose]())

async function asOwner<Row extends pg.QueryResultRow>(text: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: app.databaseUrl })
  await client.connect()
  try {
    return (await client.query<Row>(text)).rows
  } finally {
    await client.end()
  }
}

const doors = () => app.app.routes.map(({ options }) => options)
const lines = (list: string[]): string => `${list.join('\n')}\n`
const snapshot = (name: string): string => path.join(import.meta.dirname, 'snapshots', name)

describe('doors', () => {
  // Schemas become code when they are first needed, so a wrong one would be found by whoever needs it.
  test('every schema can be compiled', () => {
    expect(compileAll(app.app.routes)).toBeGreaterThan(1_000)
  })

  test('each has a permission that somebody has, a summary, replies, and an address of its own', () => {
    const { permissions } = app.app.runtime
    const seen = new Set<string>()
    for (const { method, path: address, may, summary, replies, root } of doors()) {
      const name = `${method} ${address}`
      expect(
        may === 'public' || may === 'signed in' || Boolean(permissions[may]?.length),
        `${name} asks for ${may}`,
      ).toBe(true)
      expect(summary.length, name).toBeGreaterThan(3)
      expect(
        Object.keys(replies).some((status) => Number(status) < 400),
        name,
      ).toBe(true)
      const place = `${root} ${name.replaceAll(/:\w+/g, ':')}`
      expect(seen.has(place), `${name} is there twice`).toBe(false)
      seen.add(place)
    }
  })

  test('bodies refuse what they do not name (queries do so everywhere, by validation.ts)', () => {
    for (const { method, path: address, body, page } of doors()) {
      if (!body || page) continue
      const shape = body as { additionalProperties?: unknown; anyOf?: unknown }
      expect(shape.additionalProperties === false || Boolean(shape.anyOf), `${method} ${address}`).toBe(true)
    }
  })

  test('the list of doors and who may enter', async () => {
    const list = doors().map(
      ({ method, path: address, root, may }) => `${method.padEnd(6)} ${root ? '' : '/api/v1'}${address}  ${may}`,
    )
    await expect(lines(list.toSorted())).toMatchFileSnapshot(snapshot('doors.txt'))
  })

  test('no GET changes anything', async () => {
    const { id, listId } = await seed()
    const before = await fingerprint()
    const tried: string[] = []
    for (const { method, path: address, root, may } of doors()) {
      if (method !== 'GET' || address === '/events/stream') continue
      const url = `${root ? '/' : ''}${address.replace(/:\w+/, address.startsWith('/lists') ? listId : id).replaceAll(/:\w+/g, id)}`
      const reply = await (may === 'public' ? app.anonymous : app.as('anna')).get(url, {
        accept: 'text/html,application/json',
      })
      expect(reply.status, `GET ${url}`).toBeLessThan(500)
      if (reply.status < 400) tried.push(url)
    }
    expect(tried.length).toBeGreaterThan(20)
    expect(await fingerprint()).toEqual(before)
  })
})

async function seed(): Promise<{ id: string; listId: string }> {
  const anna = app.as('anna')
  const contact = await anna.post('/contacts', { email: 'guest@example.org', first_name: 'Guest', tags: ['regular'] })
  const list = await anna.post('/lists', { name: 'Guests' })
  await anna.post(`/lists/${list.body.id}/contacts`, { contact_ids: [contact.body.id] })
  await anna.post(`/contacts/${contact.body.id}/notes`, { content: 'Likes the window table.' })
  await app.drain()
  return { id: contact.body.id, listId: list.body.id }
}

/**
 * Rows and row versions of every table; when somebody was last seen is a trace of the visit, and no change, and so is
 * the entry that says who took a file of contacts.
 */
async function fingerprint(): Promise<Record<string, string>> {
  const tables = await asOwner<{ name: string }>(`
    select format('%I.%I', schemaname, tablename) as name from pg_tables
    where schemaname not in ('pg_catalog', 'information_schema', 'pgboss', 'public') and tablename not in ('sessions', 'api_keys', 'exports')`)
  const each = tables.map(
    ({ name }) =>
      `select '${name}' as name, coalesce(md5(string_agg(xmin::text || ctid::text, ',' order by ctid)), '') as state from ${name}`,
  )
  const rows = await asOwner<{ name: string; state: string }>(each.join(' union all '))
  return Object.fromEntries(rows.map(({ name, state }) => [name, state]))
}

describe('the OpenAPI document', () => {
  test('holds every mounted door, with its parameters and its replies, and no other', () => {
    const described = Object.entries(document.paths).flatMap(([address, item]) =>
      Object.keys(item).map((method) => `${method.toUpperCase()} ${address}`),
    )
    const mounted = doors().map(
      ({ method, path: address, root }) => `${method} ${root ? '' : '/api/v1'}${address.replaceAll(/:(\w+)/g, '{$1}')}`,
    )
    const probes = ['GET /', 'GET /health', 'GET /status', 'GET /metrics']
    expect(described.toSorted()).toEqual([...mounted, ...probes].toSorted())
    const ids = Object.values(document.paths).flatMap((item) =>
      Object.values(item).map(({ operationId }) => operationId),
    )
    expect(new Set(ids).size).toBe(ids.length)
    for (const { method, path: address, root, replies, may } of doors()) {
      const place = `${root ? '' : '/api/v1'}${address.replaceAll(/:(\w+)/g, '{$1}')}`
      const operation = document.paths[place]![method.toLowerCase()]!
      expect(Object.keys(operation.responses), place).toEqual(
        expect.arrayContaining([...Object.keys(replies), '400', '500']),
      )
      const parameters = (operation.parameters ?? []) as { name?: string; in?: string }[]
      const inPath = parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => name)
      expect(inPath, place).toEqual([...place.matchAll(/\{(\w+)\}/g)].map(([, name]) => name))
      expect(operation.security, place).toEqual(may === 'public' ? [] : undefined)
    }
  })

  test('refers only to what is there, and names its shapes', () => {
    const text = JSON.stringify(document)
    for (const [, kind, name] of text.matchAll(/"#\/components\/(\w+)\/(\w+)"/g))
      expect(document.components[kind!]).toHaveProperty(name!)
    expect(text).not.toContain('"$id"')
    expect(Object.keys(document.components.schemas!)).toEqual(
      expect.arrayContaining(['Problem', 'Job', 'Contact', 'List', 'Tag', 'Campaign', 'Template', 'Session']),
    )
    const limit = (document.paths['/api/v1/contacts']!.get!.parameters as { name: string; required: boolean }[]).find(
      ({ name }) => name === 'limit',
    )
    expect(limit?.required).toBe(false)
  })

  test('has every endpoint of the specification documents whose time has come, and none before', () => {
    const rows = readFileSync(path.join(import.meta.dirname, '../docs/endpoints.tsv'), 'utf8').split('\n')
    const endpoints = rows.filter((row) => row && !row.startsWith('#')).map((row) => row.split('\t'))
    expect(endpoints.length).toBeGreaterThan(100)
    const described = new Set(
      Object.entries(document.paths).flatMap(([address, item]) =>
        Object.keys(item).map((method) => `${method.toUpperCase()} ${plain(address)}`),
      ),
    )
    const wrong = endpoints.filter(
      ([method, address, status]) => described.has(`${method} ${plain(address!)}`) !== (status === 'mounted'),
    )
    expect(wrong.map(([method, address, status]) => `${method} ${address} is listed as ${status}`)).toEqual([])
  })
})

/** Documents name parameters differently, and write some addresses at the root. */
function plain(address: string): string {
  return address.replace(/^\/api\/v1/, '').replaceAll(/\{\w+\}/g, '{}')
}

describe('tables', () => {
  /** Tables without a tenant's policy, each with the reason. */
  const exempt: Record<string, string> = {
    'platform.outbox': 'the relay works across workspaces; each row names its own',
    'platform.inbox': 'holds ids of events and nothing else',
    'platform.bus_cursors': 'how far a broker has read the outbox, across workspaces',
    'platform.mail_fetching': 'tells of the one mailbox that the installation fetches from, and of no mail',
    'platform.mail_queue': 'holds ids of mails that wait to be handled, across workspaces',
    'communication.sending': 'holds ids of campaigns that the engine has to look at, across workspaces',
  }

  test('each has a workspace and the policy that keeps it, or a reason', async () => {
    const tables = await asOwner<{
      name: string
      has_workspace: boolean
      protected: boolean
      policies: string[] | null
    }>(`
      select format('%s.%s', n.nspname, c.relname) as name, c.relrowsecurity as protected,
        exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'workspace_id' and a.attnotnull) as has_workspace,
        (select array_agg(pg_get_expr(p.polqual, p.polrelid) || ' / ' || pg_get_expr(p.polwithcheck, p.polrelid)) from pg_policy p where p.polrelid = c.oid) as policies
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where c.relkind in ('r', 'p') and n.nspname = any(array['platform', ${modules.map(({ name }) => `'${name}'`).join(', ')}]) order by 1`)
    expect(tables.length).toBeGreaterThan(20)
    const policy = '(workspace_id = ( SELECT platform.workspace_id() AS workspace_id))'
    const open = tables.filter(
      (table) => !(table.has_workspace && table.protected && table.policies?.join() === `${policy} / ${policy}`),
    )
    const unexplained = open.filter(({ name }) => !exempt[name] && !name.startsWith('accounts.'))
    expect(unexplained.map(({ name }) => name)).toEqual([])
    // Sign-in and tokens are read before a workspace is known; the accounts' own test lists and explains these.
    await expect(lines(open.map(({ name }) => name))).toMatchFileSnapshot(snapshot('tables-without-policy.txt'))
  })

  test('no view, and no function with the owner’s eyes, opens a way around the policies', async () => {
    const functions = await asOwner<{ name: string; safe: boolean }>(`
      select format('%s.%s', n.nspname, p.proname) as name, p.proconfig::text like '%search_path%' as safe
      from pg_proc p join pg_namespace n on n.oid = p.pronamespace
      where p.prosecdef and n.nspname not in ('pg_catalog', 'pgboss') order by 1`)
    expect(functions).toEqual(
      expect.arrayContaining([
        { name: 'platform.forget_old_rows', safe: true },
        { name: 'platform.stranded_jobs', safe: true },
      ]),
    )
    expect(functions.every(({ safe }) => safe)).toBe(true)
    await app.stranger.post('/contacts', { email: 'theirs@example.org', first_name: 'Theirs' })
    const views = await asOwner<{ name: string }>(
      `select format('%I.%I', schemaname, viewname) as name from pg_views where schemaname = any(array[${modules.map(({ name }) => `'${name}'`).join(', ')}])`,
    )
    for (const { name } of views) {
      const { rows } = await app.inTx((tx) =>
        tx.rawQuery<{ workspace_id: string }>(`select distinct workspace_id from ${name}`),
      )
      expect(
        rows.every((row) => row.workspace_id === app.world.workspaceId),
        name,
      ).toBe(true)
      expect(
        (await app.app.runtime.db.transaction('system', (tx) => tx.rawQuery(`select from ${name}`))).rowCount,
        name,
      ).toBe(0)
    }
  })
})

test('the lists of recurring work, jobs and reactions', async () => {
  const jobs = modules.flatMap(({ jobs: own = [] }) =>
    own.map(({ kind, retryLimit }) => `job       ${kind}, tried again ${retryLimit} times`),
  )
  const schedule = app.app.tasks.map(({ cron, name }) => `schedule  ${name} at ${cron}`)
  const reactions = modules.flatMap(({ reactions: own = [] }) =>
    own.map(({ event, consumer }) => `reaction  ${consumer} to ${event}`),
  )
  await expect(lines([...schedule, ...jobs, ...reactions].toSorted())).toMatchFileSnapshot(snapshot('work.txt'))
})
