/** For tests of what modules know of people. */
import type { Tx } from '#platform/db/db.ts'
import type { PersonalData, Person } from '#platform/privacy/personal-data.ts'

/** A copy as one object: rows by table. */
export async function copyOf(data: PersonalData, tx: Tx, person: Person): Promise<Record<string, unknown[]>> {
  const copy: Record<string, unknown[]> = {}
  for await (const { table, rows } of data.export(tx, person)) (copy[table] ??= []).push(...rows)
  return copy
}
