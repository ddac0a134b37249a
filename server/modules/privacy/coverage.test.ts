// No table, of any module, may know of a person without its module's promise to hand it out and to forget it.
import pg from 'pg'
import { expect, test } from 'vitest'
import { start } from '#testing/start.ts'

/** Columns by which a table knows somebody who is no member of the workspace. */
const telling = [
  'contact_id',
  'contact_ids',
  'customer_id',
  'primary_id',
  'email',
  'email_key',
  'recipient',
  'phone',
  'phone_key',
  'full_name',
  'first_name',
  'address_hash',
]

/** Tables that have such a column, and why nothing in them is a contact's. */
const explained: Record<string, string> = {
  'accounts.users': 'members of workspaces, who have accounts of their own',
  'accounts.invitations': 'members to be; an invitation ends by itself',
  'contacts.suppressions': 'a keyed hash alone, which is what keeps a person from being written to again',
  'contacts.confirmation_mails': 'a keyed hash alone; an erasure removes it, and otherwise two days do',
}

test('every table that can name a person is covered by its module, or explained', async () => {
  await using app = await start()
  const owner = new pg.Client({ connectionString: app.databaseUrl })
  await owner.connect()
  const { rows } = await owner.query<{ name: string; columns: string[] }>(
    `select c.table_schema || '.' || c.table_name as name, array_agg(c.column_name::text) as columns
     from information_schema.columns c
     join pg_class r on r.relname = c.table_name and r.relnamespace = c.table_schema::regnamespace
     where r.relkind in ('r', 'p') and not r.relispartition and c.column_name = any($1)
       and c.table_schema not in ('pg_catalog', 'information_schema', 'public', 'pgboss')
     group by 1 order by 1`,
    [telling],
  )
  await owner.end()
  expect(rows.length).toBeGreaterThan(10)
  const covered = new Set(app.app.runtime.personalData.flatMap(({ data }) => data.tables))
  const missing = rows.filter(({ name }) => !covered.has(name) && !explained[name])
  expect(missing, 'add these to the personal-data.ts of their module').toEqual([])
  const real = new Set(rows.map(({ name }) => name))
  expect(Object.keys(explained).filter((name) => !real.has(name))).toEqual([])
})

test('what a module promises is about its own tables', async () => {
  await using app = await start()
  for (const { name, data } of app.app.runtime.personalData) {
    expect(data.tables.filter((table) => !table.startsWith(`${name}.`))).toEqual([])
  }
})
