/** Shows that something is answered without its tables. */
import pg from 'pg'
import type { TestApp } from './start.ts'

/** While `run` goes on, nobody can read these tables: whoever tries waits for ever. */
export async function withLockedTables(app: TestApp, tables: string[], run: () => Promise<void>): Promise<void> {
  const owner = new pg.Client({ connectionString: app.databaseUrl })
  await owner.connect()
  try {
    await owner.query('begin')
    await owner.query(`lock table ${tables.join(', ')} in access exclusive mode`)
    await run()
  } finally {
    await owner.end()
  }
}
