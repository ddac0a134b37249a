/** Takes everything of one workspace out of the database: for whole workspaces that nobody needs any more. */
import type pg from 'pg'

/**
 * As the owner of the database, which no tenant's policy holds back, and in the caller's transaction. Every table with
 * a `workspace_id` is found by itself, so a new one cannot be forgotten. Keys inside a schema cascade.
 */
export async function purgeWorkspace(owner: pg.Client, workspaceId: string): Promise<void> {
  const { rows } = await owner.query<{ name: string }>(`
    select format('%I.%I', n.nspname, c.relname) as name
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    join pg_attribute a on a.attrelid = c.oid and a.attname = 'workspace_id' and not a.attisdropped
    where c.relkind in ('r', 'p') and not c.relispartition and n.nspname not in ('pgboss', 'public') and n.nspname not like 'pg\\_%'
    order by name desc`)
  for (const { name } of rows) await owner.query(`delete from ${name} where workspace_id = $1`, [workspaceId])
}
