/**
 * A copy of the audit ledger for LOG_SERVICE_URL, so that who looked at or erased whose data is also known where nobody of
 * this database can change it. At least once and in order: the mark moves when the service has answered 2xx, and each entry
 * has an id, by which a repetition is known. A service that is away delays, and loses nothing.
 */
import type { Tx } from '#platform/db/db.ts'
import { every } from '#platform/module.ts'
import type { Runtime } from '#platform/services.ts'
import { listWorkspaceIds } from '#modules/accounts/index.ts'
import type { AuditEntry } from './audit.ts'

const entriesAtOnce = 100

export const logTasks = [
  every('* * * * *', 'privacy.copy_to_log_service', async (runtime) => {
    const url = runtime.config.services.logUrl
    if (!url) return
    for (const workspaceId of await listWorkspaceIds(runtime.db)) {
      // One that fails would fail for all: the next minute tries again.
      if (!(await copyAll(runtime, url, workspaceId))) return
    }
  }),
]

async function copyAll(runtime: Runtime, url: string, workspaceId: string): Promise<boolean> {
  for (;;) {
    const entries = await runtime.db.transaction(workspaceId, nextEntries)
    const last = entries.at(-1)
    if (!last) return true
    if (!(await send(runtime, url, entries))) return false
    await runtime.db.transaction(workspaceId, (tx) => moveMark(tx, last.number))
  }
}

/** Numbers have no gaps and become visible in their order: an audit entry is written while no other one is. */
async function nextEntries(tx: Tx): Promise<AuditEntry[]> {
  const mark = await tx.sql.selectFrom('privacy.log_copies').select('number').executeTakeFirst()
  return tx.sql
    .selectFrom('privacy.audit_entries')
    .selectAll()
    .where('number', '>', mark?.number ?? 0)
    .orderBy('number')
    .limit(entriesAtOnce)
    .execute()
}

async function moveMark(tx: Tx, number: number): Promise<void> {
  await tx.sql
    .insertInto('privacy.log_copies')
    .values({ workspace_id: tx.workspaceId, number })
    .onConflict((conflict) => conflict.column('workspace_id').doUpdateSet({ number, updated_at: tx.now }))
    .execute()
}

async function send({ outbound, config, log }: Runtime, url: string, entries: AuditEntry[]): Promise<boolean> {
  const service = config.service?.title ?? config.app.name
  const lines = entries.map(({ created_at, action, ...entry }) => ({
    timestamp: created_at.toISOString(),
    level: 'info',
    service,
    event: `audit.${action}`,
    ...entry,
  }))
  const result = await outbound.request({
    url,
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ entries: lines }),
    isRepeatable: true,
  })
  if (result.ok && result.status >= 200 && result.status < 300) return true
  const why = result.ok ? { status: result.status } : { failed: result.failed }
  log.warn({ ...why, entries: entries.length }, 'the log service did not take the audit log; trying again')
  return false
}
