// Migrations: one at a time whoever starts them, wholly or not at all, and said plainly when they fail.
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import pg from 'pg'
import pino from 'pino'
import { afterEach, beforeEach, expect, inject, test } from 'vitest'
import { prepareDatabase } from '#server/app.ts'
import { migrate, refuseOldServer } from './migrate.ts'

let url: string
let folder: string
let warnings: string[]
const log = pino({ level: 'warn' }, { write: (line: string) => void warnings.push(line) })
const folders = () => [{ name: 'probe', folder }]
const put = (name: string, text: string) => writeFileSync(path.join(folder, name), text)

async function query(text: string, on = url): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: on })
  await client.connect()
  try {
    return (await client.query(text)).rows
  } finally {
    await client.end()
  }
}

beforeEach(async () => {
  const address = new URL(inject('databaseUrl'))
  const name = `test_migrate_${randomBytes(5).toString('hex')}`
  await query(`create database ${name}`, inject('databaseUrl'))
  address.pathname = `/${name}`
  url = address.href
  folder = mkdtempSync(path.join(tmpdir(), 'rapport-migrations-'))
  warnings = []
})
afterEach(async () => {
  rmSync(folder, { recursive: true })
  await query(`drop database ${new URL(url).pathname.slice(1)} with (force)`, inject('databaseUrl'))
})

test('several starts at once apply each file once, in order', async () => {
  put('0001-first.sql', 'create table public.probe (n int); insert into public.probe values (1)')
  put('0002-second.sql', 'insert into public.probe select max(n) + 1 from public.probe')
  put('notes.md', 'not a migration')
  const applied = await Promise.all(Array.from({ length: 5 }, () => migrate(url, folders(), log)))
  expect(applied.toSorted((a, b) => a - b)).toEqual([0, 0, 0, 0, 2])
  expect(await query('select n from public.probe order by n')).toEqual([{ n: 1 }, { n: 2 }])
})

test('a failing file is taken back wholly, names itself, and the next start goes on there', async () => {
  put('0001-good.sql', 'create table public.good ()')
  put('0002-bad.sql', 'create table public.half (); select nonsense; create table public.other ()')
  await expect(migrate(url, folders(), log)).rejects.toThrow(
    'Migration probe/0002-bad.sql failed and was rolled back: column "nonsense" does not exist',
  )
  const tables = () =>
    query(`select tablename from pg_tables where schemaname = 'public' and tablename in ('good', 'half')`)
  expect(await tables()).toEqual([{ tablename: 'good' }])
  put('0002-bad.sql', 'create table public.half ()')
  expect(await migrate(url, folders(), log)).toBe(1)
  expect(await tables()).toHaveLength(2)
})

test('a file that was changed after it had been applied is warned of, and not applied again', async () => {
  put('0001-first.sql', 'create table public.probe ()')
  await migrate(url, folders(), log)
  put('0001-first.sql', 'create table public.probe (n int)')
  expect(await migrate(url, folders(), log)).toBe(0)
  expect(warnings.join()).toContain('changed after it had been applied')
})

test('two files with one number are refused before anything is done', async () => {
  put('0001-a.sql', 'create table public.a ()')
  put('0001-b.sql', 'create table public.b ()')
  await expect(migrate(url, folders(), log)).rejects.toThrow('have the number 0001')
})

test('a server that is too old is refused by name', () => {
  expect(() => refuseOldServer(140_012)).toThrow('PostgreSQL 14 is too old: Rapport needs PostgreSQL 15 or later.')
  expect(() => refuseOldServer(150_004)).not.toThrow()
})

test('the whole program can prepare one empty database from many starts at once, and again', async () => {
  await Promise.all(Array.from({ length: 8 }, () => prepareDatabase(url, log)))
  const count = () => query('select count(*) as n from public.rapport_migrations')
  const before = await count()
  await prepareDatabase(url, log)
  expect(await count()).toEqual(before)
})
