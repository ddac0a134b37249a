/**
 * The tests of the server once more, on the services that a large installation has: a PostgreSQL server and Redis, where
 * they answer on this machine (RabbitMQ has its own tests, which run everywhere). What does not answer is said, and not tested.
 * Paths as arguments choose some of them: `npm run test:scaled -- server/platform`.
 */
import { spawnSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import pg from 'pg'
import { answers, POSTGRES_URL, REDIS_URL } from '../server/testing/services.ts'

const serverUrl = (await answers(POSTGRES_URL)) && (await ownsServer(POSTGRES_URL)) ? POSTGRES_URL : null
const redisUrl = (await answers(REDIS_URL)) ? REDIS_URL : null
if (serverUrl || redisUrl) {
  console.log(`Again, on ${[serverUrl && 'a PostgreSQL server', redisUrl && 'Redis'].filter(Boolean).join(' and ')}.`)
  const chosen = process.argv.slice(2)
  const paths = chosen.length ? chosen : ['server/']
  const { status } = spawnSync(process.execPath, [join(import.meta.dirname, 'test.ts'), ...paths], {
    cwd: dirname(import.meta.dirname),
    stdio: 'inherit',
    env: {
      ...process.env,
      ...(serverUrl ? { TEST_DATABASE_URL: serverUrl } : {}),
      ...(redisUrl ? { TEST_REDIS_URL: redisUrl } : {}),
    },
  })
  process.exitCode = status ?? 1
} else {
  console.log('Skipped: neither a PostgreSQL server nor Redis answers here, so nothing is tested on them.')
}

async function ownsServer(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url })
  try {
    await client.connect()
    const { rows } = await client.query('select rolsuper from pg_roles where rolname = current_user')
    return rows[0]?.rolsuper === true
  } catch (error) {
    console.warn(`Skipped: the PostgreSQL server does not let us in (${(error as Error).message}).`)
    return false
  } finally {
    await client.end().catch(() => {})
  }
}
