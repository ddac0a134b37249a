/** After a large change: fresh statistics, so that the next queries are planned for the table as it is now. */
import { sql } from 'kysely'
import type { Tx } from './db.ts'

/** Reads a sample of 30,000 rows of each table at most, whatever its size. Names are the caller's own, never input. */
export async function refreshStatistics(tx: Tx, tables: readonly string[]): Promise<void> {
  for (const table of tables) await sql`select platform.refresh_statistics(${table}::regclass)`.execute(tx.sql)
}
