/**
 * How well and how fast duplicates are found: `npm run bench -- dedupe [contacts] [rounds] [--data folder]`.
 *
 * Quality, on the labelled sets of the folder (`splink_fake_1000.csv`, `febrl_dataset1.csv` and others of FEBRL): pairs and
 * groups as the program makes them, in one configuration for all; beside it the exact e-mail rule, and the mean Jaro–Winkler
 * likeness over the same candidates at the threshold that is best for each set. Then the search through everybody: the
 * job itself, in a process of its own, over a generated workspace in which a tenth are second records.
 */
import { fork } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { prepareDatabase } from '../server/app.ts'
import { readEnv } from '../server/config.ts'
import { judge } from '../server/modules/contacts/duplicates/judge.ts'
import { Model } from '../server/modules/contacts/duplicates/model.ts'
import { People } from '../server/modules/contacts/duplicates/people.ts'
import { toPerson } from '../server/modules/contacts/duplicates/person.ts'
import type { Loaded } from '../server/modules/contacts/duplicates/finder.ts'
import { startEmbedded } from '../server/platform/db/embedded.ts'
import { createLog } from '../server/platform/observe/log.ts'
import { doubles, type Double } from './doubles.ts'
import {
  bestByLikeness,
  candidatesOf,
  findByEmail,
  findByModel,
  likeness,
  qualityOf,
  readSets,
  textsOf,
  toQuality,
  truePairs,
  type LabelledSet,
} from './labelled.ts'
import { report, type Line } from './report.ts'

const { values, positionals } = parseArgs({ options: { data: { type: 'string' } }, allowPositionals: true })
const [contacts = 1_000_000, rounds = 1] = positionals.map(Number)
const workspaceId = '00000000-0000-7000-8000-00000000b001'
const database = 'bench_dedupe'

const met = report('dedupe', [...judgeQuality(), ...compareSpeed(), ...(contacts ? await scanEverybody() : [])], {
  contacts,
  rounds,
})
process.exitCode = met ? 0 : 1

function judgeQuality(): Line[] {
  const sets = values.data && existsSync(values.data) ? readSets(values.data) : []
  if (!sets.length) {
    console.log(
      `No labelled sets${values.data ? ` in ${values.data}` : ''}: quality is not judged. Name their folder with --data.`,
    )
  }
  return sets.flatMap((set) => {
    const { pairs, grouped } = findByModel(set)
    const aims = aimsOf(set)
    return [
      ...tell(`${set.name}: pairs`, qualityOf(pairs, set.truth), aims.pairs),
      ...tell(`${set.name}: groups`, qualityOf(grouped, set.truth), aims.groups),
      ...(set.contacts.some(([, email]) => email)
        ? tell('  reference: exact e-mail', qualityOf(findByEmail(set), set.truth))
        : []),
      ...tell('  reference: best Jaro–Winkler', bestByLikeness(set)),
    ]
  })
}

function aimsOf({ name }: LabelledSet): { pairs: number; groups: number } {
  if (name.startsWith('splink')) return { pairs: 0.91, groups: 0.98 }
  return name.endsWith('with identifier') ? { pairs: 0.999, groups: 0.999 } : { pairs: 0.99, groups: 0.99 }
}

function tell(what: string, quality: ReturnType<typeof toQuality>, aim?: number): Line[] {
  const digits = (value: number) => value.toFixed(4)
  return [
    {
      what: `${what} (precision ${digits(quality.precision)}, recall ${digits(quality.recall)})`,
      unit: 'F1',
      values: [quality.f1],
      digits: 4,
      ...(aim ? { aim: { atLeast: aim } } : {}),
    },
  ]
}

/** The model and the plain likeness, over the same candidates of a tenth of the people, without a database. */
function compareSpeed(): Line[] {
  const loaded = [...doubles(Math.min(100_000, contacts || 100_000), 0.1, 2)].map(toLoaded)
  const candidates = candidatesOf(loaded)
  const people = new People()
  for (const [, email, first_name, last_name, phone, phone_key, company, custom_fields] of loaded) {
    people.add(toPerson({ email, first_name, last_name, phone, phone_key, company, custom_fields }))
  }
  const model = new Model(people, loaded.length)
  const texts = loaded.map(textsOf)
  const byModel: number[] = []
  const byLikeness: number[] = []
  for (let round = 0; round < 3; round++) {
    byModel.push(nanoseconds(candidates.length, () => candidates.filter(([one, other]) => judge(model, one, other))))
    byLikeness.push(nanoseconds(candidates.length, () => candidates.filter((pair) => likeness(texts, pair) > 0.9)))
  }
  return [
    { what: `a comparison by the model (${candidates.length} candidates)`, unit: 'ns', values: byModel },
    { what: '  by plain Jaro–Winkler', unit: 'ns', values: byLikeness },
    {
      what: '  as a share of plain Jaro–Winkler',
      unit: '×',
      values: byModel.map((time, round) => time / byLikeness[round]!),
    },
  ]
}

function nanoseconds(count: number, run: () => unknown): number {
  const startedAt = performance.now()
  run()
  return ((performance.now() - startedAt) * 1e6) / count
}

async function scanEverybody(): Promise<Line[]> {
  const folder = mkdtempSync(path.join(tmpdir(), 'rapport-bench-dedupe-'))
  const log = createLog({ level: 'warn', name: 'bench' })
  const given = readEnv().DATABASE_URL
  const quiet = { info: () => {}, warn: console.warn, error: console.error }
  const embedded = given ? null : await startEmbedded({ dataDir: path.join(folder, 'data'), log: quiet })
  const server = given ?? embedded!.url
  const target = new URL(server)
  target.pathname = `/${database}`
  try {
    await onServer(server, `drop database if exists ${database} with (force)`, `create database ${database}`)
    await prepareDatabase(target.href, log)
    const truth = await fill(target.href)
    const times: number[] = []
    const exact: number[] = []
    let cpuSeconds = 0
    let peakMiB = 0
    for (let round = 0; round < rounds; round++) {
      exact.push(await timeExactRule(target.href))
      const scan = await runScan(target.href, path.join(folder, 'files'))
      console.log(`scan ${scan.seconds.toFixed(1)} s, ${JSON.stringify(scan.result)}`)
      times.push(scan.seconds)
      cpuSeconds = scan.cpuSeconds
      peakMiB = Math.max(peakMiB, scan.peakMiB)
    }
    const quality = await judgeScan(target.href, truth)
    return [
      ...tell(`search through ${contacts}`, quality),
      { what: '  time of the job', unit: 's', values: times, aim: { atMost: 120 * Math.max(1, contacts / 1e6) } },
      { what: '  reference: equal names or numbers, one statement', unit: 's', values: exact },
      { what: '  processor time of the program', unit: 's', values: [cpuSeconds] },
      { what: '  highest memory of the program, API and worker', unit: 'MiB', values: [peakMiB] },
    ]
  } finally {
    if (given) await onServer(server, `drop database if exists ${database} with (force)`)
    await embedded?.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Answers by contact which person it is. */
async function fill(url: string): Promise<Map<string, number>> {
  const truth = new Map<string, number>()
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(`insert into accounts.workspaces (id, name, slug) values ('${workspaceId}', 'Bench', 'bench')`)
  const lines = function* () {
    let piece = ''
    for (const double of doubles(contacts, 0.1, 1)) {
      truth.set(double.id, double.person)
      piece += `${toLine(double)}\n`
      if (piece.length < 65_536) continue
      yield piece
      piece = ''
    }
    yield piece
  }
  const columns = 'workspace_id, id, email, first_name, last_name, phone, phone_key, company, custom_fields'
  await pipeline(
    Readable.from(lines(), { objectMode: false }),
    client.query(copyFrom(`copy contacts.contacts (${columns}) from stdin`)),
  )
  await client.query('vacuum analyze contacts.contacts')
  await client.query('checkpoint')
  await client.end()
  return truth
}

function toLine({ id, email, firstName, lastName, phone, company, customFields }: Double): string {
  const cell = (value: string | null) => value ?? '\\N'
  return [
    workspaceId,
    id,
    email,
    firstName,
    lastName,
    cell(phone),
    cell(phone),
    cell(company),
    JSON.stringify(customFields),
  ].join('\t')
}

function toLoaded({ id, email, firstName, lastName, phone, company, customFields }: Double): Loaded {
  return [id, email, firstName, lastName, phone, phone, company, customFields]
}

/** What most programs do: pairs with the same number, or the same full name. */
async function timeExactRule(url: string): Promise<number> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const startedAt = performance.now()
  await client.query(`
    select count(*) from (
      select phone_key from contacts.contacts where phone_key is not null group by 1 having count(*) > 1
      union all select name_key from contacts.contacts group by 1 having count(*) > 1) as same`)
  const seconds = (performance.now() - startedAt) / 1_000
  await client.end()
  return seconds
}

async function runScan(url: string, files: string) {
  const worker = fork(path.join(import.meta.dirname, 'workers/import-worker.ts'), [url, files], {
    execArgv: ['--max-semi-space-size=16'],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  try {
    const [ready] = (await once(worker, 'message')) as [{ address: string; authorization: string }]
    const headers = { authorization: ready.authorization }
    const startedAt = performance.now()
    const reply = await fetch(`${ready.address}/api/v1/contacts/duplicates/scan`, { method: 'POST', headers })
    const job = (await reply.json()) as { id: string }
    if (reply.status !== 202) throw new Error(JSON.stringify(job))
    for (;;) {
      const state = (await (await fetch(`${ready.address}/api/v1/jobs/${job.id}`, { headers })).json()) as {
        status: string
        error: string
        result: object
      }
      if (state.status === 'succeeded') {
        const seconds = (performance.now() - startedAt) / 1_000
        worker.send('end')
        const [usage] = (await once(worker, 'message')) as [{ cpuSeconds: number; peakMiB: number }]
        return { seconds, ...usage, result: state.result }
      }
      if (state.status !== 'queued' && state.status !== 'running') throw new Error(`${state.status}: ${state.error}`)
      await pause(100)
    }
  } finally {
    const ended = worker.exitCode === null ? once(worker, 'exit') : null
    worker.kill()
    await ended
  }
}

async function judgeScan(url: string, truth: Map<string, number>) {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const { rows } = await client.query<{ a: string; b: string }>('select a, b from contacts.duplicate_pairs')
  await client.end()
  const right = rows.filter(({ a, b }) => truth.get(a) === truth.get(b)).length
  return toQuality(right, rows.length, truePairs([...truth.values()].map(String)))
}

async function onServer(serverUrl: string, ...statements: string[]): Promise<void> {
  const client = new pg.Client({ connectionString: serverUrl })
  await client.connect()
  for (const statement of statements) await client.query(statement)
  await client.end()
}
