/**
 * How fast a file becomes contacts: `npm run bench -- import [rows] [rounds] [existing]`.
 *
 * Each round, on a fresh copy of a migrated database: raw COPY of the contacts that the import makes, into the same table with its
 * indexes; then the whole import, from the first byte uploaded to the finished job, in a worker process of its own with
 * everything running. In the end once more with `existing` contacts there already.
 */
import { fork } from 'node:child_process'
import {
  createReadStream,
  createWriteStream,
  mkdirSync,
  mkdtempSync,
  openAsBlob,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { pipeline } from 'node:stream/promises'
import pg from 'pg'
import { from as copyFrom, to as copyTo } from 'pg-copy-streams'
import { prepareDatabase } from '../server/app.ts'
import { readEnv } from '../server/config.ts'
import { startEmbedded } from '../server/platform/db/embedded.ts'
import { createLog } from '../server/platform/observe/log.ts'
import { writePeople } from './people.ts'

const [rows = 200_000, rounds = 3, existing = 1_000_000] = process.argv.slice(2).map(Number)
const folder = mkdtempSync(path.join(tmpdir(), 'rapport-bench-import-'))
const log = createLog({ level: 'warn', name: 'bench' })
const quiet = { info: () => {}, warn: console.warn, error: console.error }
const given = readEnv().DATABASE_URL
const embedded = given ? null : await startEmbedded({ dataDir: path.join(folder, 'data'), log: quiet })
const serverUrl = given ?? embedded!.url
const databases = { empty: 'bench_import_empty', full: 'bench_import_full', round: 'bench_import_round' }

const columns =
  'workspace_id, id, email, first_name, last_name, company, job_title, phone, phone_key, gender, language, timezone, source, notes, import_id, created_at, updated_at'

interface Measured {
  seconds: number
  cpuSeconds: number
  peakMiB: number
  counts: Record<string, number>
}

try {
  const csv = path.join(folder, 'people.csv')
  await writePeople(csv, { rows, seed: 1, dirty: 0.03, duplicates: 0.1 })
  console.log(`${rows} rows, ${(statSync(csv).size / 1e6).toFixed(1)} MB; ${rounds} rounds`)
  await recreate(databases.empty)
  await prepareDatabase(urlOf(databases.empty), log)

  const warmUp = await onFresh(databases.empty, (url) =>
    runImport(url, csv, (client) => saveCopy(client, path.join(folder, 'copy.bin'))),
  )
  console.log('first, not counted:', say(warmUp))
  const copies: number[] = []
  const imports: Measured[] = []
  for (let round = 0; round < rounds; round++) {
    copies.push(await onFresh(databases.empty, (url) => runCopy(url, path.join(folder, 'copy.bin'))))
    imports.push(await onFresh(databases.empty, (url) => runImport(url, csv)))
    console.log(`copy ${copies.at(-1)!.toFixed(2)} s; import ${say(imports.at(-1)!)}`)
  }
  const made = warmUp.counts.created!
  const copyRate = made / median(copies)
  const importRate = rows / median(imports.map(({ seconds }) => seconds))
  const result: Record<string, unknown> = {
    rows,
    created: made,
    copy_seconds: copies,
    import_seconds: imports.map(({ seconds }) => seconds),
    import_rows_per_second: Math.round(importRate),
    copy_rows_per_second: Math.round(copyRate),
    // COPY gets only the rows that can be copied, so its rate counts fewer than the file has; the ratio of times is stricter.
    ratio_of_rate: importRate / copyRate,
    ratio_of_time: median(copies) / median(imports.map(({ seconds }) => seconds)),
    worker_cpu_seconds: median(imports.map(({ cpuSeconds }) => cpuSeconds)),
    worker_peak_mib: Math.max(...imports.map(({ peakMiB }) => peakMiB)),
  }
  if (existing) {
    await recreate(databases.full, databases.empty)
    await fill(urlOf(databases.full), existing)
    const full: Measured[] = []
    for (let round = 0; round < Math.min(rounds, 2); round++) {
      full.push(await onFresh(databases.full, (url) => runImport(url, csv)))
      console.log(`with ${existing} there: ${say(full.at(-1)!)}`)
    }
    const fullRate = rows / median(full.map(({ seconds }) => seconds))
    Object.assign(result, {
      existing,
      full_seconds: full.map(({ seconds }) => seconds),
      full_rows_per_second: Math.round(fullRate),
      ratio_full_to_empty: fullRate / importRate,
      full_worker_peak_mib: Math.max(...full.map(({ peakMiB }) => peakMiB)),
    })
  }
  console.log(result)
  const results = path.join(import.meta.dirname, 'results')
  mkdirSync(results, { recursive: true })
  writeFileSync(path.join(results, 'import.json'), `${JSON.stringify(result, null, 2)}\n`)
} finally {
  if (given) for (const name of Object.values(databases)) await drop(name)
  await embedded?.stop()
  rmSync(folder, { recursive: true, force: true })
}

/** What the import made, to be copied in raw. */
async function saveCopy(client: pg.Client, file: string): Promise<void> {
  await pipeline(
    client.query(copyTo(`copy (select ${columns} from contacts.contacts order by id) to stdout`)),
    createWriteStream(file),
  )
}

async function runCopy(url: string, file: string): Promise<number> {
  return withClient(url, async (client) => {
    const startedAt = performance.now()
    await pipeline(createReadStream(file), client.query(copyFrom(`copy contacts.contacts (${columns}) from stdin`)))
    return (performance.now() - startedAt) / 1_000
  })
}

async function runImport(url: string, csv: string, after?: (client: pg.Client) => Promise<void>): Promise<Measured> {
  const worker = fork(path.join(import.meta.dirname, 'workers/import-worker.ts'), [url, path.join(folder, 'files')], {
    // As bin/launch.cjs starts the program.
    execArgv: ['--max-semi-space-size=16'],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  try {
    const [ready] = (await once(worker, 'message')) as [{ address: string; authorization: string; listId: string }]
    const form = new FormData()
    form.set('list_id', ready.listId)
    form.set('file', await openAsBlob(csv), 'people.csv')
    const startedAt = performance.now()
    const headers = { authorization: ready.authorization }
    const reply = await fetch(`${ready.address}/api/v1/contacts/import`, { method: 'POST', body: form, headers })
    const job = (await reply.json()) as { id: string; import_id: string; status: string }
    if (reply.status !== 202) throw new Error(JSON.stringify(job))
    for (;;) {
      const state = (await (await fetch(`${ready.address}/api/v1/jobs/${job.id}`, { headers })).json()) as {
        status: string
        error: string
        result: Record<string, number>
      }
      if (state.status === 'succeeded') {
        const seconds = (performance.now() - startedAt) / 1_000
        worker.send('end')
        const [usage] = (await once(worker, 'message')) as [{ cpuSeconds: number; peakMiB: number }]
        if (after) await withClient(url, after)
        return { seconds, ...usage, counts: state.result }
      }
      if (state.status !== 'queued' && state.status !== 'running') throw new Error(`${state.status}: ${state.error}`)
      await pause(50)
    }
  } finally {
    const ended = worker.exitCode === null ? once(worker, 'exit') : null
    worker.kill()
    await ended
  }
}

async function onFresh<T>(template: string, run: (url: string) => Promise<T>): Promise<T> {
  await recreate(databases.round, template)
  await withClient(urlOf(databases.round), (client) => client.query('checkpoint'))
  return run(urlOf(databases.round))
}

/** People of another seed, made by SQL so that a million takes no time worth speaking of. */
async function fill(url: string, count: number): Promise<void> {
  await withClient(url, async (client) => {
    const {
      rows: [workspace],
    } = await client.query<{ id: string }>(`
      insert into accounts.workspaces (id, name, slug) values ('00000000-0000-7000-8000-00000000b001', 'Bench', 'bench') returning id`)
    await client.query(
      `insert into contacts.contacts (workspace_id, id, email, first_name, last_name, company, job_title, phone, phone_key, language)
       select $1, gen_random_uuid(), 'someone.' || i || '.' || (i * 7919) % 1000 || '@' || (array['example.com', 'mail.example', 'firma.example'])[1 + i % 3],
         initcap(substr(md5(i::text), 1, 5)), initcap(substr(md5((i * 31)::text), 1, 8)), 'Company ' || substr(md5((i % 50000)::text), 1, 8), 'Manager',
         '+337' || lpad(i::text, 8, '0'), '+337' || lpad(i::text, 8, '0'), 'fr'
       from generate_series(1, $2::bigint) as i`,
      [workspace!.id, count],
    )
    await client.query('vacuum analyze')
  })
}

async function recreate(name: string, template = 'template1'): Promise<void> {
  await drop(name)
  await withClient(serverUrl, (client) => client.query(`create database ${name} template ${template}`))
}

async function drop(name: string): Promise<void> {
  await withClient(serverUrl, (client) => client.query(`drop database if exists ${name} with (force)`))
}

async function withClient<T>(url: string, run: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return await run(client)
  } finally {
    await client.end()
  }
}

function urlOf(name: string): string {
  const url = new URL(serverUrl)
  url.pathname = `/${name}`
  return url.href
}

function median(values: number[]): number {
  const sorted = values.toSorted((left, right) => left - right)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

function say({ seconds, cpuSeconds, peakMiB, counts }: Measured): string {
  return `${seconds.toFixed(2)} s, worker ${cpuSeconds.toFixed(1)} CPU s, ${Math.round(peakMiB)} MiB, ${JSON.stringify(counts)}`
}
