/**
 * How fast contacts are listed, filtered, searched and counted: `npm run bench -- list-search [contacts] [timeline rows] [repeats]`.
 *
 * Each question is asked many times, with other words each time, as the doors ask it: through the operation, in the workspace's
 * scope, in this process. Where there is an obvious best statement for the same answer, written by hand, that is asked in turn
 * with it, and the ratio of the medians is told.
 */
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { sql } from 'kysely'
import pg from 'pg'
import { prepareDatabase } from '../server/app.ts'
import { readEnv } from '../server/config.ts'
import { listContacts, type ContactListQuery } from '../server/modules/contacts/contact-query.ts'
import type { Rule } from '../server/modules/contacts/rules/rule.ts'
import { readInteractions } from '../server/modules/contacts/interactions.ts'
import { startEmbedded } from '../server/platform/db/embedded.ts'
import { openDb, type Tx } from '../server/platform/db/db.ts'
import { createLog } from '../server/platform/observe/log.ts'
import { makeCrowd } from './crowd.ts'
import { report, type Line } from './report.ts'

const [contacts = 1_000_000, timelineRows = contacts * 5, repeats = 60] = process.argv.slice(2).map(Number)
const folder = mkdtempSync(path.join(tmpdir(), 'rapport-bench-list-'))
const log = createLog({ level: 'warn', name: 'bench' })
const given = readEnv().DATABASE_URL
const embedded = given
  ? null
  : await startEmbedded({
      dataDir: path.join(folder, 'data'),
      log: { info() {}, warn: console.warn, error: console.error },
    })
const url = await scratchDatabase(given ?? embedded!.url)

interface Question {
  what: string
  /** Milliseconds that the 95th of 100 may take. */
  aimMs: number
  ask(tx: Tx, turn: number): Promise<unknown>
  /** The same answer by the best statement that we know. */
  byHand?(tx: Tx, turn: number): Promise<unknown>
}

/** A rule of each kind: what is found soon along the page's order, and what nobody has, which is the harder question. */
const leaves: [string, Rule][] = [
  ['a first name', { field: 'first_name', op: 'eq', value: 'Léa' }],
  ['a job that nobody has', { field: 'job_title', op: 'eq', value: 'Astronaut' }],
  ['a source that nobody has', { field: 'source', op: 'eq', value: 'nowhere' }],
  ['the tag of half of them', { field: 'tags', op: 'has', value: 'tag 1' }],
  ['either of two tags', { field: 'tags', op: 'has_any', value: ['tag 3', 'tag 15'] }],
  ['without a tag', { field: 'tags', op: 'has_none', value: ['tag 1'] }],
  ['who said no', { field: 'consent.newsletter', op: 'eq', value: 'withdrawn' }],
  ['opened more than a year ago', { field: 'last_email_opened_at', op: 'older_than_days', value: 390 }],
  ['a custom field', { field: 'custom_fields.seats', op: 'gte', value: 39 }],
  ['a custom field without copies', { field: 'custom_fields.table_no', op: 'eq', value: 17 }],
  ['many tickets', { field: 'total_tickets', op: 'gte', value: 4 }],
  ['booked eight times', { field: 'total_bookings', op: 'gte', value: 8 }],
  ['bought lately', { event: 'order.completed', op: 'at_least', count: 1, within_days: 30 }],
  ['bought twice lately', { event: 'order.completed', op: 'at_least', count: 2, within_days: 90 }],
  ['never bought', { event: 'order.completed', op: 'never' }],
]

try {
  await prepareDatabase(url, log)
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const started = Date.now()
  const crowd = await makeCrowd(client, contacts, timelineRows)
  console.log(
    `${contacts} contacts, ${timelineRows} timeline rows, made in ${Math.round((Date.now() - started) / 1000)} s`,
  )
  await client.end()
  const db = openDb({ url, poolMax: 2, log, slowQueryMs: 600_000, applicationName: 'bench' })
  const lines: Line[] = []
  for (const question of questions(crowd.listIds)) {
    const inTx = (run: (tx: Tx) => Promise<unknown>) => db.transaction(crowd.workspaceId, run)
    const times: number[] = []
    const handTimes: number[] = []
    for (let turn = 0; turn < repeats + 3; turn++) {
      times.push(await timed(() => inTx((tx) => question.ask(tx, turn))))
      if (question.byHand) handTimes.push(await timed(() => inTx((tx) => question.byHand!(tx, turn))))
    }
    const [warm, warmHand] = [times.slice(3), handTimes.slice(3)]
    lines.push({ what: question.what, unit: 'ms (median)', values: warm })
    lines.push({ what: '  p95', unit: 'ms', values: [at(warm, 0.95)], aim: { atMost: question.aimMs } })
    if (warmHand.length) {
      lines.push({
        what: '  of the best SQL by hand',
        unit: '×',
        values: [at(warm, 0.5) / at(warmHand, 0.5)],
        aim: { atMost: 1.3 },
      })
    }
  }
  report('list-search', lines, { contacts, timelineRows, repeats })
  await db.close()
} finally {
  await dropScratch(url)
  await embedded?.stop()
  rmSync(folder, { recursive: true, force: true })
}

function questions(listIds: string[]): Question[] {
  const list = (what: string, query: (turn: number) => ContactListQuery, aimMs = 50): Question => ({
    what,
    aimMs,
    ask: (tx, turn) => listContacts(tx, query(turn)),
  })
  const words = ['duba', 'Fegi', 'stefan', 'ȘTEFAN', 'maison co', 'quelemi', 'tra 17', 'pri', 'elodie ba', 'p4711']
  const cjk = ['美咲', '健', '伟', '美', '咲']
  const tree = {
    all: [
      { field: 'language', op: 'eq', value: 'fr' },
      { field: 'engagement_score', op: 'gte', value: 11 },
      { field: 'total_bookings', op: 'gte', value: 1 },
    ],
  }
  return [
    {
      ...list('first page, newest first', () => ({})),
      byHand: (tx) => byHand(tx, sql`deleted_at is null`, sql`created_at desc, id desc`, 51),
    },
    {
      ...list('page of 200 by last name', () => ({ sort: 'last_name', limit: 200 })),
      byHand: (tx) => byHand(tx, sql`deleted_at is null`, sql`name_key, id`, 201),
    },
    list('by score', () => ({ sort: '-engagement_score' })),
    {
      ...list('status unsubscribed', () => ({ status: 'unsubscribed' })),
      byHand: (tx) =>
        byHand(tx, sql`deleted_at is null and status = 'unsubscribed'`, sql`created_at desc, id desc`, 51),
    },
    list('one tag of many sizes', (turn) => ({ tags: `tag ${1 + (turn % 20)}` })),
    list('two tags', (turn) => ({ tags: `tag 1,tag ${2 + (turn % 10)}` })),
    list('one list of many sizes', (turn) => ({ list: listIds[turn % listIds.length]! })),
    list('language and level', (turn) => ({ language: ['fr', 'ro'][turn % 2]!, engagement_level: 'high' })),
    list('search', (turn) => ({ search: words[turn % words.length]! }), 100),
    list('search, Chinese and Japanese', (turn) => ({ search: cjk[turn % cjk.length]! }), 100),
    list('search that finds nothing', (turn) => ({ search: `zzqx${turn}` }), 100),
    list('saved filter of three rules, first page', () => ({ filter: tree }), 150),
    ...leaves.map(([what, filter]) => list(`filter: ${what}`, () => ({ filter }), 150)),
    ...leaves.map(([what, filter]) => ({
      what: `count: ${what}`,
      aimMs: 1_000,
      ask: (tx: Tx) => listContacts(tx, { filter, count: 'exact', limit: 1 }),
    })),
    {
      what: 'count of three rules, exact',
      aimMs: 1_000,
      ask: (tx) => listContacts(tx, { filter: tree, count: 'exact', limit: 1 }),
    },
    {
      what: 'timeline of one contact',
      aimMs: 50,
      ask: (tx, turn) => readInteractions(tx, { contactId: contactId(turn), limit: 50 }),
    },
    { what: 'timeline of the workspace', aimMs: 50, ask: (tx) => readInteractions(tx, { limit: 50 }) },
  ]
}

/** Rows alone, without their tags and lists: what any answer has to read at least. */
function byHand(tx: Tx, where: ReturnType<typeof sql>, order: ReturnType<typeof sql>, limit: number) {
  return sql`
    with page as materialized (
      select * from contacts.contacts where workspace_id = ${tx.workspaceId}::uuid and ${where} order by ${order} limit ${limit}),
    counted as (
      select count(*) from (select from contacts.contacts where workspace_id = ${tx.workspaceId}::uuid and ${where} limit 10001) as c)
    select p.*, counted.count,
      array(select t.name from contacts.contact_tags ct join contacts.tags t on t.workspace_id = ct.workspace_id and t.id = ct.tag_id
        where ct.workspace_id = p.workspace_id and ct.contact_id = p.id),
      array(select l.name from contacts.list_members m join contacts.lists l on l.workspace_id = m.workspace_id and l.id = m.list_id
        where m.workspace_id = p.workspace_id and m.contact_id = p.id)
    from page p, counted`.execute(tx.sql)
}

/** The id that the crowd gives to its n-th person. */
function contactId(turn: number): string {
  const hex = createHash('md5')
    .update(`crowd ${1 + turn * 97}`)
    .digest('hex')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

async function timed(run: () => Promise<unknown>): Promise<number> {
  const started = performance.now()
  await run()
  return performance.now() - started
}

function at(values: number[], share: number): number {
  const sorted = values.toSorted((left, right) => left - right)
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!
}

async function scratchDatabase(serverUrl: string): Promise<string> {
  await onServer(serverUrl, 'drop database if exists bench_list_search', 'create database bench_list_search')
  const target = new URL(serverUrl)
  target.pathname = '/bench_list_search'
  return target.href
}

async function dropScratch(scratchUrl: string): Promise<void> {
  if (!given) return
  const server = new URL(scratchUrl)
  server.pathname = '/postgres'
  await onServer(server.href, 'drop database if exists bench_list_search')
}

async function onServer(serverUrl: string, ...statements: string[]): Promise<void> {
  const client = new pg.Client({ connectionString: serverUrl })
  await client.connect()
  for (const statement of statements) await client.query(statement)
  await client.end()
}
