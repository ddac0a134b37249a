/**
 * Brings the database to the newest version, as its owner: the application's role, then each module's numbered SQL
 * files, forward only, each in a transaction of its own. An advisory lock lets one process work while others wait.
 */
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import pg from 'pg'
import type { Logger } from 'pino'

/** A folder of `0001-name.sql` files; the names come first in the order in which modules build on each other. */
export interface MigrationFolder {
  name: string
  folder: string
}

const lockKey = 7_276_771 // any number, the same in every version of Rapport

export async function migrate(ownerUrl: string, folders: MigrationFolder[], log: Logger): Promise<number> {
  const client = new pg.Client({ connectionString: ownerUrl, application_name: 'rapport migrate' })
  await client.connect()
  try {
    await requireSupportedServer(client)
    await client.query('select pg_advisory_lock($1)', [lockKey])
    await createRole(client)
    await client.query(`
      create table if not exists public.rapport_migrations (
        module text not null, number int not null, name text not null, sha256 text not null,
        applied_at timestamptz not null default now(), primary key (module, number))`)
    let applied = 0
    for (const { name, folder } of folders) {
      for (const file of await migrationFiles(folder)) applied += await applyFile(client, name, folder, file, log)
    }
    return applied
  } finally {
    await client.end()
  }
}

async function requireSupportedServer(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ number: string }>('select current_setting($1) as number', [
    'server_version_num',
  ])
  refuseOldServer(Number(rows[0]?.number))
}

export function refuseOldServer(versionNumber: number): void {
  const major = Math.floor(versionNumber / 10_000)
  if (major < 15) throw new Error(`PostgreSQL ${major} is too old: Rapport needs PostgreSQL 15 or later.`)
}

/** Two servers' starts may race for the role, which belongs to the whole cluster. */
async function createRole(client: pg.Client): Promise<void> {
  await client.query(`
    do $$ begin
      if not exists (select from pg_roles where rolname = 'rapport_app') then
        create role rapport_app nologin nosuperuser nobypassrls;
      end if;
    exception when duplicate_object or unique_violation then null;
    end $$`)
  await client.query(`
    do $$ begin
      if not pg_has_role(current_user, 'rapport_app', 'member') then grant rapport_app to current_user; end if;
    end $$`)
}

async function migrationFiles(folder: string): Promise<string[]> {
  const names = (await readdir(folder)).filter((name) => /^\d{4}-.+\.sql$/.test(name)).toSorted()
  const double = names.find((name, index) => names[index - 1]?.slice(0, 4) === name.slice(0, 4))
  if (double) throw new Error(`Two migrations in ${folder} have the number ${double.slice(0, 4)}; give one the next.`)
  return names
}

async function applyFile(client: pg.Client, module: string, folder: string, file: string, log: Logger): Promise<0 | 1> {
  const text = await readFile(path.join(folder, file), 'utf8')
  const number = Number(file.slice(0, 4))
  const sha256 = createHash('sha256').update(text).digest('hex')
  const { rows } = await client.query<{ sha256: string }>(
    'select sha256 from public.rapport_migrations where module = $1 and number = $2',
    [module, number],
  )
  const earlier = rows[0]
  if (earlier) {
    if (earlier.sha256 !== sha256) log.warn({ module, file }, 'this migration was changed after it had been applied')
    return 0
  }
  await client.query('begin')
  try {
    await client.query(text)
    await client.query('insert into public.rapport_migrations (module, number, name, sha256) values ($1, $2, $3, $4)', [
      module,
      number,
      file,
      sha256,
    ])
    await client.query('commit')
  } catch (error) {
    await client.query('rollback')
    const reason = error instanceof Error ? error.message : String(error)
    throw new Error(`Migration ${module}/${file} failed and was rolled back: ${reason}`, { cause: error })
  }
  log.info({ module, file }, 'migrated')
  return 1
}
