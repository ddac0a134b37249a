/** The process that `bench/import.ts` measures: the whole program, API and worker, on a database of its own. */
import { SignJWT } from 'jose'
import pg from 'pg'
import { createApp } from '../../server/app.ts'
import { toConfig } from '../../server/config.ts'
import { createLog } from '../../server/platform/observe/log.ts'

const [url, dataDir] = process.argv.slice(2) as [string, string]
const secretKey = 'a-secret-key-that-only-the-benchmarks-know-0123456789'
const log = createLog({ level: 'warn', name: 'bench' })
const config = toConfig({
  APP_ENV: 'test',
  DATA_DIR: dataDir,
  RATE_LIMIT_PER_MINUTE: '1000000',
  SECRET_KEY: secretKey,
  SLOW_QUERY_MS: '600000',
})
const workspaceId = '00000000-0000-7000-8000-00000000b001'
const userId = '00000000-0000-7000-8000-00000000b002'
const listId = '00000000-0000-7000-8000-00000000b003'
const owner = new pg.Client({ connectionString: url })
await owner.connect()
await owner.query(`
  insert into accounts.workspaces (id, name, slug) values ('${workspaceId}', 'Bench', 'bench') on conflict do nothing;
  insert into accounts.users (id, email, full_name) values ('${userId}', 'bench@example.com', 'Bench') on conflict do nothing;
  insert into accounts.memberships (workspace_id, user_id, role) values ('${workspaceId}', '${userId}', 'owner') on conflict do nothing;
  insert into contacts.lists (workspace_id, id, name) values ('${workspaceId}', '${listId}', 'Everybody') on conflict do nothing`)
await owner.end()
const app = await createApp({ config, databaseUrl: url, secretKey, log, works: true, webFolder: null })
const address = await app.http.listen({ port: 0, host: '127.0.0.1' })
app.worker.start()
const token = await new SignJWT({ email: 'bench@example.com', workspace_id: workspaceId, role: 'owner' })
  .setProtectedHeader({ alg: 'HS256' })
  .setSubject(userId)
  .setExpirationTime('8h')
  .sign(new TextEncoder().encode(secretKey))

let peak = 0
setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), 50).unref()
process.on('message', () => {
  const { user, system } = process.cpuUsage()
  process.send!({ cpuSeconds: (user + system) / 1e6, peakMiB: peak / 2 ** 20 })
})
process.send!({ address, authorization: `Bearer ${token}`, listId })
