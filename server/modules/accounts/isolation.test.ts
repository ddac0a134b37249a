/**
 * No workspace sees or touches another's things. These tests walk every door that is mounted and every table there is,
 * so that a new module is covered on the day it comes; where one fails, read what it says before you add an exception.
 */
import pg from 'pg'
import sharp from 'sharp'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { may, roles, type Role } from '#platform/actor.ts'
import { platformRoutes } from '#platform/http/platform-routes.ts'
import { newId } from '#platform/ids.ts'
import { findDestinations } from '#platform/mail-in/addresses.ts'
import { receive } from '#platform/mail-in/receive.ts'
import { modules } from '#server/modules.ts'
import { givePassword, openBrowser } from '#testing/browser.ts'
import { sample, type Schema } from '#testing/sample.ts'
import { start, tokenOf, type Client, type TestApp, type TestReply } from '#testing/start.ts'

/** Tables with a `workspace_id` that the application reads outside of any workspace, each with its reason. */
const outsideOfPolicy: Record<string, string> = {
  'platform.mail_queue': 'the worker finds out which mails of all workspaces wait, by their ids alone',
  'platform.outbox': 'the relay hands on the events of all workspaces',
  'communication.sending': 'the engine finds out which campaigns of all workspaces are due, by their ids alone',
  'accounts.memberships': 'sign-in finds a person’s workspaces before one is chosen',
  'accounts.sessions': 'the cookie is all that is known when a session is looked up',
}

/** Functions and views that look past the policies, each with what it asks for in return. */
const lookingPast: Record<string, string> = {
  'platform.stranded_jobs': 'nothing: it takes no input, and answers the ids of jobs that nothing carries any more',
  'platform.refresh_statistics': 'the name of a table of ours; it answers nothing of what is in it',
  'platform.find_mail_addresses':
    'whole addresses; it answers which of them take mail in, and whose they are, to the door that mail comes by',
  'platform.mails_to_forget': 'nothing: it takes no input, and answers the ids of mails that have served their time',
  'platform.forget_old_rows': 'nothing: it takes no input, and answers how many rows had served their time',
  'contacts.ensure_partitions': 'nothing: it takes no input, and answers which month’s part of the timeline it made',
  'contacts.workspaces_with_old_imports':
    'nothing: it takes no input, and answers which workspaces have files to forget',
  'contacts.workspaces_with_due_reports': 'nothing: no input, and which workspaces have reports to send',
  'contacts.contact_rows': 'the workspace of the transaction, by the same function, so that searches can use an index',
  'contacts.totals': 'nothing: it takes no input, and answers sums over all workspaces, for /metrics',
  'contacts.duplicate_key_rows': 'the same, so that keys can be looked up in their index',
  'support.totals': 'nothing: it takes no input, and answers sums over all workspaces, for /metrics',
  'support.ticket_rows': 'the workspace of the transaction, as contact_rows does',
  'support.message_rows': 'the workspace of the transaction, as contact_rows does',
  'contacts.custom_value_rows': 'the workspace of the transaction, as contact_rows does',
  'accounts.identify_key': 'the hash of the whole key, of 256 random bits',
}

/** Views that obey the policies of the tables behind them (security_invoker). */
const withTheirTables: Record<string, string> = {
  'platform.job_states': 'what modules may know of the jobs that they named',
}

/** Doors that never end their reply. */
const endless = new Set(['/api/v1/events/stream'])

/** Every door with every id there is: more doors, more time, and more again on a busy machine. */
const walkMs = 180_000

let app: TestApp
let owner: pg.Client
let doors: Door[]
/** One id of every kind of thing that the first workspace has, by table. */
let theirs: Map<string, string[]>

beforeAll(async () => {
  app = await start()
  // These walks knock far more often than people do; how often is too often has tests of its own.
  app.app.runtime.limits.take = async (_key, { limit }) => ({ allowed: true, limit, remaining: limit, resetMs: 0 })
  owner = new pg.Client({ connectionString: app.databaseUrl })
  await owner.connect()
  doors = listDoors((await app.anonymous.get('//openapi.json')).body)
  await fillWorkspace()
  theirs = await collectIds()
})

afterAll(async () => {
  await owner.end()
  await app[Symbol.asyncDispose]()
})

/** Doors whose things the generic filling does not make: their own tests show that others cannot see them. */
const unproven = new Set<string>([
  // A report and what belongs to it at once; reports/runs.test.ts asks as a stranger.
  'GET /api/v1/contacts/reports/{id}/runs/{run_id}',
  'GET /api/v1/contacts/reports/{id}/schedules/{schedule_id}',
  // Two ids of different things, and the walk knows one: messages.test.ts tries them with those of another ticket.
  'GET /api/v1/tickets/{ticket_id}/messages/{id}',
  'GET /api/v1/tickets/{ticket_id}/messages/{id}/versions',
  // Likewise; attachments.test.ts.
  'GET /api/v1/tickets/{ticket_id}/attachments/{id}',
  'GET /api/v1/tickets/{ticket_id}/attachments/{id}/download',
  'GET /api/v1/tickets/{ticket_id}/attachments/message/{message_id}',
  'GET /api/v1/lists/{id}/why/{contact_id}', // a list and a contact at once; segments.test.ts asks as a stranger
])

test('the doors that are about to be tried do open for the workspace itself', async () => {
  const closed: string[] = []
  for (const door of doors.filter(
    ({ method, parameters, isPublic }) => method === 'GET' && parameters.length && !isPublic,
  )) {
    const opened = await anyOf(allIds(), async (id) => (await knock(app.as('anna'), door, id)).status === 200)
    if (!opened && !unproven.has(door.name)) closed.push(door.name)
  }
  expect(closed, 'fill the workspace with such things, or name the door as unproven').toEqual([])
})

test(
  'with the ids of another workspace, every door answers as if there were nothing',
  async () => {
    const before = await snapshot()
    const open: string[] = []
    const withIds = doors.filter(({ parameters, isPublic }) => parameters.length && !isPublic)
    expect(withIds.length).toBeGreaterThan(5)
    for (const door of withIds) {
      for (const id of allIds()) {
        const reply = await knock(app.stranger, door, id, { bodyId: allIds().find((other) => other !== id) ?? id })
        if (!isClosed(reply)) open.push(`${door.name}: ${reply.status} ${reply.body.detail}`)
      }
    }
    await app.drain()
    expect([...new Set(open)]).toEqual([])
    expect(await snapshot(), 'what the first workspace has').toEqual(before)
  },
  walkMs,
)

test(
  'with another workspace’s ids in a body, nothing of that workspace changes',
  async () => {
    const before = await snapshot()
    const makers = doors.filter(
      ({ method, body, parameters, isPublic }) => method !== 'GET' && body && !parameters.length && !isPublic,
    )
    expect(makers.length).toBeGreaterThan(5)
    for (const door of makers) {
      for (const bodyId of allIds()) {
        expect((await knock(app.stranger, door, newId(), { bodyId })).status, door.name).toBeLessThan(500)
      }
    }
    await app.drain()
    expect(await snapshot()).toEqual(before)
  },
  walkMs,
)

test('lists, searches and figures show nothing of another workspace', async () => {
  const ids = [...theirs.values()].flat().filter((id) => id !== app.world.otherWorkspaceId)
  const lists = doors.filter(
    ({ method, path, parameters, isPublic }) =>
      method === 'GET' && !parameters.length && !isPublic && !endless.has(path),
  )
  expect(lists.length).toBeGreaterThan(5)
  for (const door of lists) {
    const reply = await knock(app.stranger, door, newId())
    expect(reply.status, door.name).toBeLessThan(500)
    expect(
      ids.filter((id) => reply.text.includes(id)),
      door.name,
    ).toEqual([])
  }
})

test('without a valid identity, every door that is not public is closed', async () => {
  const guarded = doors.filter(({ isPublic }) => !isPublic)
  expect(guarded.length).toBeGreaterThan(10)
  for (const door of guarded) {
    for (const headers of [{}, { cookie: '__Host-rapport=' + 'a'.repeat(43) }] as Record<string, string>[]) {
      expect((await knock(app.anonymous, door, newId(), { headers })).status, door.name).toBe(401)
    }
  }
})

test('every role finds closed what its permissions do not open', async () => {
  const { permissions } = app.app.runtime
  const routes = [...platformRoutes, ...modules.flatMap((module) => module.routes ?? [])]
  const open: string[] = []
  for (const role of roles) {
    const client = await bearer(role)
    for (const { options } of routes) {
      if (options.may === 'public' || options.may === 'signed in') continue
      const actor = { kind: 'user', id: null, workspaceId: '', role, scopes: null, email: null, name: '' } as const
      if (may(permissions, actor, options.may)) continue
      const path = `${options.root ? '/' : ''}${options.path}`.replaceAll(/:\w+/g, newId())
      const reply = await client(options.method, path)
      if (reply.status !== 403) open.push(`${role}: ${options.method} ${options.path} ${reply.status}`)
    }
  }
  expect(open).toEqual([])
})

test('every permission that a door asks for is declared, or nobody could ever come in', () => {
  const asked = new Set(modules.flatMap((module) => module.routes ?? []).map(({ options }) => options.may))
  const unknown = [...asked].filter(
    (name) => !['public', 'signed in'].includes(name) && !app.app.runtime.permissions[name],
  )
  expect(unknown).toEqual([])
})

test('with a session, no change is made for another site’s page', async () => {
  const password = 'seven green bicycles'
  await givePassword(app, app.world.people.anna, password)
  const browser = openBrowser(app)
  await browser.signIn('anna@moulin.example', password)
  const before = await snapshot()
  for (const door of doors.filter(({ method, isPublic }) => method !== 'GET' && !isPublic)) {
    const forms = { 'text/plain': '{"a":1}', 'multipart/form-data; boundary=x': '--x--\r\n' }
    for (const [type, body] of Object.entries(forms)) {
      const headers = { cookie: browser.cookie ?? '', 'content-type': type, origin: 'https://evil.example' }
      const reply = await app.anonymous.request(door.method, `/${fill(door, newId())}`, body, headers)
      expect([door.name, reply.status]).toEqual([door.name, 403])
    }
  }
  expect(await snapshot()).toEqual(before)
})

test('outside of any workspace, the application sees no row of any', async () => {
  const tables = await tenantTables()
  expect(tables.length).toBeGreaterThan(5)
  const seen: string[] = []
  await owner.query('begin; set local role rapport_app')
  for (const { name, secured } of tables) {
    if (name in outsideOfPolicy) continue
    if (!secured && !(name in lookingPast) && !(name in withTheirTables)) seen.push(`${name} has no row-level security`)
    await owner.query('savepoint probe')
    try {
      const { rows } = await owner.query(`select count(*)::int as count from ${name}`)
      if (rows[0].count) seen.push(`${name}: ${rows[0].count} rows`)
    } catch (error) {
      // A table that the application may not even read is closed well enough.
      if ((error as { code?: string }).code !== '42501') throw error
    }
    await owner.query('rollback to probe')
  }
  await owner.query('rollback')
  expect(seen).toEqual([])
  const missing = Object.keys(outsideOfPolicy).filter((name) => !tables.some((table) => table.name === name))
  expect(missing, 'exceptions for tables that are not there').toEqual([])
})

test('within a workspace, the application sees that one’s rows alone, and writes no others', async () => {
  const seen: string[] = []
  await owner.query(
    `begin; set local role rapport_app; set local rapport.workspace_id = '${app.world.otherWorkspaceId}'`,
  )
  for (const { name } of await tenantTables()) {
    if (name in outsideOfPolicy) continue
    await owner.query('savepoint probe')
    const { rows } = await owner
      .query(`select count(*)::int as count from ${name} where workspace_id <> '${app.world.otherWorkspaceId}'`)
      .catch((error: { code?: string }) => {
        if (error.code !== '42501') throw error
        return { rows: [{ count: 0 }] }
      })
    if (rows[0].count) seen.push(name)
    await owner.query('rollback to probe')
  }
  await owner.query('rollback')
  expect(seen).toEqual([])
})

test('the application’s role owns nothing and bypasses nothing, nor do views and functions for it', async () => {
  const { rows: role } = await owner.query(
    `select rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolcanlogin from pg_roles where rolname = 'rapport_app'`,
  )
  expect(new Set(Object.values(role[0]))).toEqual(new Set([false]))
  const { rows: owned } = await owner.query(
    `select relname from pg_class where pg_get_userbyid(relowner) = 'rapport_app' and relpersistence <> 't'`,
  )
  expect(owned).toEqual([])
  const { rows: past } = await owner.query(
    `select n.nspname || '.' || p.proname as name from pg_proc p join pg_namespace n on n.oid = p.pronamespace
     where p.prosecdef and n.nspname = any($1)
     union all
     select n.nspname || '.' || c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind = 'v' and n.nspname = any($1)
       and not coalesce(c.reloptions::text like '%security_invoker=true%', false)
     order by 1`,
    [ownSchemas()],
  )
  expect(past.map(({ name }) => name)).toEqual(Object.keys(lookingPast).toSorted())
})

interface Door {
  name: string
  method: string
  path: string
  parameters: string[]
  query: { name: string; required?: boolean; schema: Schema }[]
  body: Schema | null
  isPublic: boolean
}

interface OpenApi {
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, Schema> }
}

interface Operation {
  security?: unknown[]
  parameters?: { name: string; in: string; required?: boolean; schema: Schema }[]
  requestBody?: { content: Record<string, { schema: Schema }> }
}

function listDoors(document: Record<string, unknown>): Door[] {
  const { paths, components } = document as unknown as OpenApi
  return Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, { security, parameters = [], requestBody }]) => {
      const body = requestBody?.content['application/json']?.schema ?? null
      return {
        name: `${method.toUpperCase()} ${path}`,
        method: method.toUpperCase(),
        path,
        parameters: parameters.filter((one) => one.in === 'path').map((one) => one.name),
        query: parameters.filter((one) => one.in === 'query'),
        body: body && resolve(body, components?.schemas ?? {}),
        isPublic: security?.length === 0,
      }
    }),
  )
}

function resolve(schema: Schema, shapes: Record<string, Schema>): Schema {
  if (schema.$ref) return resolve(shapes[schema.$ref.split('/').at(-1) ?? ''] ?? {}, shapes)
  const { properties, items } = schema
  return {
    ...schema,
    ...(properties
      ? {
          properties: Object.fromEntries(Object.entries(properties).map(([name, one]) => [name, resolve(one, shapes)])),
        }
      : {}),
    ...(items ? { items: resolve(items, shapes) } : {}),
  }
}

function fill(door: Door, id: string): string {
  return door.path.replaceAll(/\{\w+\}/g, id)
}

async function knock(
  client: Client,
  door: Door,
  id: string,
  { headers, bodyId = newId() }: { headers?: Record<string, string>; bodyId?: string } = {},
): Promise<TestReply> {
  const required = door.query
    .filter((one) => one.required)
    .map((one): [string, string] => [one.name, String(sample(one.schema, id))])
  const query = required.length ? `?${new URLSearchParams(required).toString()}` : ''
  // In the body, another id than in the address: some doors refuse a thing together with itself.
  const body = door.body ? sample(door.body, bodyId) : undefined
  return client.request(door.method, `/${fill(door, id)}${query}`, body, headers)
}

async function bearer(role: Role): Promise<(method: string, path: string) => Promise<TestReply>> {
  const person = { id: newId(), email: `${role}@moulin.example`, name: role, role }
  const authorization = `Bearer ${await tokenOf(person, app.world.workspaceId)}`
  return (method, path) => app.anonymous.request(method, path, undefined, { authorization })
}

/** Makes one of everything that a door makes, as the owner; doors that want more than their schema says are no matter. */
async function fillWorkspace(): Promise<void> {
  const makers = doors.filter(
    ({ method, parameters, isPublic }) => method === 'POST' && !parameters.length && !isPublic,
  )
  for (const door of makers.filter(({ name }) => !/two-factor|password|merge|bulk|sandbox/.test(name))) {
    expect((await knock(app.as('anna'), door, newId())).status, door.name).toBeLessThan(500)
  }
  await fillByHand()
  await app.drain()
}

/** What a schema alone does not tell how to make. */
async function fillByHand(): Promise<void> {
  const anna = app.as('anna')
  const contact = { email: 'jean@sample.example', first_name: 'Jean' }
  expect((await anna.post('/contacts', contact)).status).toBe(201)
  const question = { subject: 'Late parcel', description: 'Where is it?', contact_email: 'jean@sample.example' }
  const ticket = await anna.post('/tickets', question)
  expect(ticket.status).toBe(201)
  expect((await anna.post(`/tickets/${ticket.body.id}/messages`, { content: 'On its way' })).status).toBe(201)
  const again = await anna.post('/tickets', { ...question, subject: 'Late parcel, again' })
  const duplicates = { duplicate_ids: [again.body.id] }
  expect((await anna.post(`/tickets/${ticket.body.id}/merge`, duplicates)).status).toBe(200)
  const other = await anna.post('/tickets', { ...question, subject: 'Another parcel' })
  const related = { ticket_id: other.body.id, kind: 'related' }
  expect((await anna.post(`/tickets/${ticket.body.id}/links`, related)).status).toBe(201)
  expect((await anna.post(`/tickets/${ticket.body.id}/presence`, { state: 'viewing' })).status).toBe(200)
  const open = { timezone: 'UTC', hours: { monday: [{ from: '09:00', to: '17:00' }] } }
  const calendar = await anna.post('/tickets/calendars', { name: 'Office', ...open })
  expect(calendar.status).toBe(201)
  const promise = { name: 'Usual', calendar_id: calendar.body.id, targets: { normal: { first_response: 60 } } }
  expect((await anna.post('/tickets/sla-policies', promise)).status).toBe(201)
  const mailbox = await anna.post('/tickets/mailboxes', { address: 'help@sample.example', name: 'Help' })
  expect(mailbox.status).toBe(201)
  const [destination] = await findDestinations(app.app.runtime.db, ['help@sample.example'])
  const mail = { door: 'smtp' as const, envelopeFrom: 'jean@sample.example', client: null }
  const raw = Buffer.from('From: jean@sample.example\r\nSubject: Late parcel\r\n\r\nWhere is it?\r\n')
  const recipients = [{ named: destination!.address, destination: destination! }]
  expect(await receive(app.app.runtime, { ...mail, raw, recipients })).toBe(1)
  const reply = { shortcut: 'hello', title: 'Hello', content: 'Hello {{contact.first_name}}' }
  expect((await anna.post('/tickets/canned-replies', reply)).status).toBe(201)
  expect((await anna.post('/tickets/views', { name: 'Late', filter: { overdue: true } })).status).toBe(201)
  const tagged = { action: 'add_tag', ticket_ids: [ticket.body.id], params: { tag: 'late' } }
  expect((await anna.post('/tickets/bulk-action', tagged)).status).toBe(202)
  const csv = 'email,first_name\nnot an address,Zoé\nzoe@sample.example,Zoé\n'
  const file = `--x\r\ncontent-disposition: form-data; name="file"; filename="a.csv"\r\ncontent-type: text/csv\r\n\r\n${csv}\r\n--x--\r\n`
  const form = { 'content-type': 'multipart/form-data; boundary=x' }
  expect((await anna.post('/contacts/import', file, form)).status).toBe(202)
  const { body } = await anna.get('/contacts?search=jean')
  const picture = await sharp({ create: { width: 9, height: 9, channels: 3, background: '#336699' } })
    .gif()
    .toBuffer()
  const head = '--x\r\ncontent-disposition: form-data; name="file"; filename="a.gif"\r\n\r\n'
  const upload = Buffer.concat([Buffer.from(head), picture, Buffer.from('\r\n--x--\r\n')])
  expect((await anna.post(`/contacts/${body.data[0].id}/avatar`, upload, form)).status).toBe(201)
  expect((await anna.post('/gdpr/export', { contact_id: body.data[0].id })).status).toBe(202)
  const twin = await anna.post('/contacts', { email: 'jean.twin@sample.example', first_name: 'Jean' })
  const merge = { primary_id: body.data[0].id, duplicate_ids: [twin.body.id] }
  expect((await anna.post('/contacts/merge', merge)).status).toBe(200)
}

/** As the database's owner sees it: the ids of everything that the first workspace has. */
async function collectIds(): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>([
    ['people', Object.values(app.world.people).map(({ id }) => id)],
    ['workspaces', [app.world.workspaceId]],
  ])
  for (const { name, hasId } of await tenantTables()) {
    if (!hasId) continue
    const { rows } = await owner.query(
      `select id::text from ${name} where workspace_id = $1 order by id desc limit 20`,
      [app.world.workspaceId],
    )
    if (rows.length)
      found.set(
        name,
        rows.map(({ id }) => id),
      )
  }
  return found
}

/** What the first workspace has, as one digest by table. Whoever signs in is seen: that alone may change. */
async function snapshot(): Promise<Record<string, string>> {
  const digests: Record<string, string> = {}
  for (const { name } of await tenantTables()) {
    if (name === 'accounts.sessions') continue
    const { rows } = await owner.query(
      `select md5(coalesce(string_agg(t::text, ',' order by t::text), '')) as digest from ${name} t where workspace_id = $1`,
      [app.world.workspaceId],
    )
    digests[name] = rows[0].digest
  }
  return digests
}

/** What the body names may be missing as well, and may be said first. */
function isClosed({ status, body }: TestReply): boolean {
  return [403, 404].includes(status) || (status === 422 && String(body.detail).startsWith('There is no such'))
}

/** Up to three ids of each kind of thing. */
function allIds(): string[] {
  return [...theirs.values()].flatMap((ids) => ids.slice(0, 3))
}

async function anyOf(ids: string[], isIt: (id: string) => Promise<boolean>): Promise<boolean> {
  for (const id of ids) if (await isIt(id)) return true
  return false
}

function ownSchemas(): string[] {
  return ['platform', ...modules.map(({ name }) => name)]
}

/** A view that reads with its reader's rights is as closed as what it reads. */
async function tenantTables(): Promise<{ name: string; secured: boolean; hasId: boolean }[]> {
  const { rows } = await owner.query(
    `select n.nspname || '.' || c.relname as name,
       c.relrowsecurity or 'security_invoker=true' = any(coalesce(c.reloptions, '{}')) as secured,
       exists (select from pg_attribute i where i.attrelid = c.oid and i.attname = 'id' and not i.attisdropped) as "hasId"
     from pg_class c join pg_namespace n on n.oid = c.relnamespace
     join pg_attribute a on a.attrelid = c.oid and a.attname = 'workspace_id' and not a.attisdropped
     where c.relkind in ('r', 'p', 'v') and not c.relispartition and n.nspname = any($1) order by 1`,
    [ownSchemas()],
  )
  return rows
}
