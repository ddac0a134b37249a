/** Brings requests together at the very point where they could race, instead of hoping that they meet there by chance. */
import pg from 'pg'
import type { TestApp } from './start.ts'

/** Holds the lock that `statement` takes until all requests wait in the database, then lets them go at once. */
export async function meetAt<T>(app: TestApp, statement: string, requests: (() => Promise<T>)[]): Promise<T[]> {
  const owner = new pg.Client({ connectionString: app.databaseUrl })
  // Within a transaction, PostgreSQL shows who waits as it was at the first look.
  const watcher = new pg.Client({ connectionString: app.databaseUrl })
  await Promise.all([owner.connect(), watcher.connect()])
  try {
    await owner.query('begin')
    await owner.query(statement)
    const replies = Promise.all(requests.map((request) => request()))
    const deadline = Date.now() + 10_000
    while ((await countWaiting(watcher)) < requests.length) {
      if (Date.now() > deadline) throw new Error('the requests do not wait for this lock')
    }
    await owner.query('commit')
    return await replies
  } finally {
    await Promise.all([owner.end(), watcher.end()])
  }
}

async function countWaiting(watcher: pg.Client): Promise<number> {
  const { rows } = await watcher.query<{ count: number }>(
    `select count(*)::int as count from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
  )
  return rows[0]?.count ?? 0
}
