/** The application before anybody has set it up. */
import pg from 'pg'
import { start, type TestApp } from './start.ts'

export async function startEmpty(environment: Record<string, string> = {}): Promise<TestApp> {
  const app = await start(environment)
  const owner = new pg.Client({ connectionString: app.databaseUrl })
  await owner.connect()
  await owner.query('truncate accounts.workspaces, accounts.users cascade')
  await owner.end()
  return app
}
