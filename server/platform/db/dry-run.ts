/** Does something and takes it back, so that "what would happen" is told by what happens, and by no second logic. */
import type { Tx } from './db.ts'

/** Rows, events and jobs of `run` are gone afterwards; its locks stay until the transaction ends. */
export async function dryRun<T>(tx: Tx, run: () => Promise<T>): Promise<T> {
  await tx.rawQuery('savepoint dry_run')
  const told = await run()
  await tx.rawQuery('rollback to savepoint dry_run')
  return told
}
