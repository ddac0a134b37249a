/** What imports leave behind: an uploaded file goes after a week, and what an undo needs once nothing can be undone any more. */
import { sql } from 'kysely'
import { every } from '#platform/module.ts'
import type { Runtime } from '#platform/services.ts'
import { undoDays } from './imports.ts'

/** How long an uploaded file is kept: the same as files that are made here. */
const keptDays = 7
const filesAtOnce = 100
const rowsAtOnce = 20_000

export const importTasks = [
  every('25 * * * *', 'contacts.forget_imports', async (runtime) => {
    const workspaces = await runtime.db.lookup<{ workspace_id: string }>(
      'contacts.workspaces_with_old_imports',
      'select workspace_id from contacts.workspaces_with_old_imports()',
      [],
    )
    for (const { workspace_id: id } of workspaces) await forgetImports(runtime, id)
  }),
]

async function forgetImports(runtime: Pick<Runtime, 'db' | 'files'>, workspaceId: string): Promise<void> {
  for (let gone = filesAtOnce; gone === filesAtOnce;) gone = await forgetUploads(runtime, workspaceId)
  for (let gone = rowsAtOnce; gone === rowsAtOnce;) gone = await forgetChanges(runtime, workspaceId)
}

/** The file first: a row without a file is harmless. One that an import still reads waits for its end. */
async function forgetUploads({ db, files }: Pick<Runtime, 'db' | 'files'>, workspaceId: string): Promise<number> {
  const { rows } = await db.transaction(workspaceId, (tx) =>
    sql<{ id: string; file_key: string }>`
      select u.id, u.file_key from contacts.import_uploads u
      where u.workspace_id = ${workspaceId}::uuid and u.file_deleted_at is null
        and u.created_at < ${tx.now}::timestamptz - make_interval(days => ${keptDays}::int)
        and not exists (
          select from contacts.imports i
          join platform.job_states j on j.workspace_id = i.workspace_id and j.id = i.job_id
          where i.workspace_id = u.workspace_id and i.upload_id = u.id and j.status in ('queued', 'running'))
      order by u.created_at limit ${filesAtOnce}`.execute(tx.sql),
  )
  for (const { file_key: key } of rows) await files.delete(key)
  const ids = rows.map(({ id }) => id)
  if (ids.length) {
    await db.transaction(workspaceId, (tx) =>
      tx.sql
        .updateTable('contacts.import_uploads')
        .set({ file_deleted_at: tx.now })
        .where('workspace_id', '=', workspaceId)
        .where('id', 'in', ids)
        .execute(),
    )
  }
  return rows.length
}

async function forgetChanges({ db }: Pick<Runtime, 'db'>, workspaceId: string): Promise<number> {
  return db.transaction(workspaceId, async (tx) => {
    const { numAffectedRows } = await sql`
      delete from contacts.import_changes where ctid in (
        select c.ctid from contacts.imports i
        join contacts.import_changes c on c.workspace_id = i.workspace_id and c.import_id = i.id
        where i.workspace_id = ${workspaceId}::uuid
          and i.created_at < ${tx.now}::timestamptz - make_interval(days => ${undoDays}::int)
        limit ${rowsAtOnce})`.execute(tx.sql)
    return Number(numAffectedRows ?? 0)
  })
}
