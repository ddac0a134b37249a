/** For whoever fills a table: fresh statistics each time it has grown fourfold, so that queries are planned for the table as it is. */
import { sql } from 'kysely'
import type { Tx } from './db.ts'

/** Call it between batches; mostly it costs a look-up. Names are the caller's own, never input. */
export async function refreshStatistics(tx: Tx, tables: readonly string[]): Promise<void> {
  for (const table of tables) await sql`select platform.refresh_statistics(${table}::regclass)`.execute(tx.sql)
}
