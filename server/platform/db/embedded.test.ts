import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Client } from 'pg'
import { afterEach, expect, test } from 'vitest'
import { startEmbedded } from './embedded.ts'

const folders: string[] = []
const others: ChildProcess[] = []
const said: string[] = []
const log = { info: (m: string) => said.push(m), warn: (m: string) => said.push(m), error: (m: string) => said.push(m) }

afterEach(() => {
  said.length = 0
  for (const other of others.splice(0)) other.kill('SIGKILL')
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

test('keeps its rows over a stop and a start, and its password to itself', async () => {
  const dataDir = newFolder()
  const first = await startEmbedded({ dataDir, log })
  await query(first.url, 'CREATE TABLE notes (text text)')
  await query(first.url, `INSERT INTO notes VALUES ('kept')`)
  await first.stop()
  expect(statSync(join(dataDir, 'postgres.password')).mode & 0o777).toBe(0o600)

  await using second = await startEmbedded({ dataDir, log })
  expect(await query(second.url, 'SELECT text FROM notes')).toEqual([{ text: 'kept' }])
  const wrong = second.url.replace(/:[^:@]+@/, ':wrong@')
  await expect(query(wrong, 'SELECT 1')).rejects.toThrow('password authentication failed')
})

test('sorts by language and knows the letters of the world', async () => {
  await using server = await startEmbedded({ dataDir: newFolder(), log, durable: false })
  const words = await query(
    server.url,
    `SELECT w FROM unnest(ARRAY['zèbre','Tom','élan','Ștefan','eau','Sam']) w ORDER BY w`,
  )
  expect(words.map((row) => row.w)).toEqual(['eau', 'élan', 'Sam', 'Ștefan', 'Tom', 'zèbre'])
  await query(server.url, 'CREATE EXTENSION pg_trgm')
  const [row] = await query(server.url, `SELECT cardinality(show_trgm('東京')) AS trigrams, lower('ÉȘ') AS lower`)
  expect(row).toEqual({ trigrams: 3, lower: 'éș' })
})

test('brings PostgreSQL back on its port when it is killed, with every acknowledged row', async () => {
  const dataDir = newFolder()
  await using server = await startEmbedded({ dataDir, log })
  await query(server.url, 'CREATE TABLE numbers (n int)')
  const writer = await connect(server.url)
  let acknowledged = 0
  const writing = (async () => {
    for (;;) {
      await writer.query('INSERT INTO numbers VALUES ($1)', [acknowledged + 1])
      acknowledged += 1
      if (acknowledged === 200) process.kill(postgresPid(dataDir), 'SIGKILL')
    }
  })()
  await expect(writing).rejects.toThrow()
  await until(() => said.some((message) => message.includes('is back')))
  const [row] = await query(server.url, 'SELECT count(*)::int AS rows, max(n) AS last FROM numbers')
  // The insert in flight may have been committed without its answer arriving: one more is right, one less is not.
  expect([acknowledged, acknowledged + 1]).toContain(row?.rows)
  expect(row?.last).toBe(row?.rows)
})

test('after a killed Rapport, the next one stops the orphaned server and loses nothing', async () => {
  const dataDir = newFolder()
  const { url, kill } = await startElsewhere(dataDir)
  await query(url, 'CREATE TABLE notes (text text)')
  await query(url, `INSERT INTO notes VALUES ('kept')`)
  const orphan = postgresPid(dataDir)
  await kill()
  expect(() => process.kill(orphan, 0)).not.toThrow()

  await using server = await startEmbedded({ dataDir, log })
  expect(said.join()).toContain(`still running after an earlier end (process ${orphan})`)
  expect(postgresPid(dataDir)).not.toBe(orphan)
  expect(await query(server.url, 'SELECT text FROM notes')).toEqual([{ text: 'kept' }])
})

test('refuses a folder that another Rapport uses, naming both', async () => {
  const dataDir = newFolder()
  const other = await startElsewhere(dataDir)
  await expect(startEmbedded({ dataDir, log })).rejects.toThrow(
    `The data folder ${dataDir} is in use by another running Rapport (process ${other.pid})`,
  )
  expect(await query(other.url, 'SELECT 1 AS alive')).toEqual([{ alive: 1 }])
  await other.kill()
  await using server = await startEmbedded({ dataDir, log })
  expect(await query(server.url, 'SELECT 1 AS alive')).toEqual([{ alive: 1 }])
})

function newFolder() {
  const folder = mkdtempSync(join(tmpdir(), 'rapport embedded '))
  folders.push(folder)
  return folder
}

/** Starts a server owned by another process, which can then be killed without a chance to tidy up. */
async function startElsewhere(dataDir: string) {
  const script = `
    import { startEmbedded } from ${JSON.stringify(pathToFileURL(join(import.meta.dirname, 'embedded.ts')))}
    const log = { info() {}, warn() {}, error() {} }
    const { url } = await startEmbedded({ dataDir: ${JSON.stringify(dataDir)}, log })
    process.send(url)
    setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  others.push(child)
  const url = String((await once(child, 'message'))[0])
  const kill = async () => {
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  return { url, pid: child.pid, kill }
}

function postgresPid(dataDir: string) {
  return Number.parseInt(readFileSync(join(dataDir, 'postgres', 'postmaster.pid'), 'utf8'), 10)
}

async function connect(url: string) {
  const client = new Client({ connectionString: url })
  client.on('error', () => {}) // The server is killed on purpose; the queries report it.
  await client.connect()
  return client
}

async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = await connect(url)
  try {
    return (await client.query(text)).rows
  } finally {
    await client.end()
  }
}

async function until(condition: () => boolean) {
  await expect.poll(condition, { timeout: 20_000, interval: 20 }).toBe(true)
}
