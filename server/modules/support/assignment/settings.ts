/** Whether tickets go to agents by themselves: AUTO_ASSIGN says so for every workspace that did not decide. */
import { sql } from 'kysely'
import type { Tx } from '#platform/db/db.ts'
import type { Services } from '#platform/services.ts'
import { checkVersion } from '#platform/errors.ts'

export interface AssignmentSettings {
  auto_assign: boolean
  /** Null follows AUTO_ASSIGN. */
  chosen: boolean | null
  version: number
}

type Configured = Pick<Services, 'config'>

export async function getSettings(tx: Tx, services: Configured): Promise<AssignmentSettings> {
  const row = await tx.sql
    .selectFrom('support.assignment_settings')
    .select(['auto_assign', 'version'])
    .where('workspace_id', '=', tx.workspaceId)
    .executeTakeFirst()
  return view(row ?? { auto_assign: null, version: 1 }, services)
}

/**
 * Makes this transaction the only one that gives out tickets here, until it ends. Whoever takes it holds no ticket that
 * another one may wait for: tickets in other hands are skipped, not waited for.
 */
export async function takeTurn(tx: Tx, services: Configured): Promise<AssignmentSettings> {
  await sql`insert into support.assignment_settings (workspace_id) values (${tx.workspaceId}) on conflict do nothing`.execute(
    tx.sql,
  )
  const row = await tx.sql
    .selectFrom('support.assignment_settings')
    .select(['auto_assign', 'version'])
    .where('workspace_id', '=', tx.workspaceId)
    .forUpdate()
    .executeTakeFirstOrThrow()
  return view(row, services)
}

/** The caller gives out what waits, once it is switched on. */
export async function changeSettings(
  tx: Tx,
  services: Configured,
  input: { auto_assign?: boolean | null },
  ifVersion: number | undefined,
): Promise<AssignmentSettings> {
  const before = await takeTurn(tx, services)
  checkVersion(before.version, ifVersion)
  if (input.auto_assign === undefined || input.auto_assign === before.chosen) return before
  const row = await tx.sql
    .updateTable('support.assignment_settings')
    .set({ auto_assign: input.auto_assign })
    .where('workspace_id', '=', tx.workspaceId)
    .returning(['auto_assign', 'version'])
    .executeTakeFirstOrThrow()
  return view(row, services)
}

function view(row: { auto_assign: boolean | null; version: number }, { config }: Configured): AssignmentSettings {
  return { auto_assign: row.auto_assign ?? config.tickets.autoAssign, chosen: row.auto_assign, version: row.version }
}
