/** Custom fields of an import: read by their definitions, and made on the way where the mapping says so. */
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { Invalid } from '#platform/errors.ts'
import type { RowPlan } from './columns.ts'

export const newFieldTypes = ['text', 'number', 'date', 'boolean', 'url'] as const

export interface NewFieldOfFile {
  key: string
  label: string
  type: (typeof newFieldTypes)[number]
}

/** Values without a definition stay text. */
export async function customReaders(_tx: Tx): Promise<NonNullable<RowPlan['customReader']>> {
  return () => null
}

export async function makeFields(_tx: Tx, _actor: Actor, _fields: NewFieldOfFile[]): Promise<void> {}

export async function resolveNewFields(
  _tx: Tx,
  _actor: Actor,
  mapping: Record<string, string | null | { new_field: Omit<NewFieldOfFile, 'key'> }> | undefined,
): Promise<{ mapping: Record<string, string | null> | undefined; newFields: NewFieldOfFile[] }> {
  if (Object.values(mapping ?? {}).some((wanted) => wanted && typeof wanted === 'object'))
    throw Invalid.at('/mapping', 'new_field', 'x')
  return { mapping: mapping as Record<string, string | null> | undefined, newFields: [] }
}
