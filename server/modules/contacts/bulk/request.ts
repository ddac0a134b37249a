/** What a bulk action is asked by, and whom it means. */
import { sql, type RawBuilder } from 'kysely'
import { Type, type Static } from 'typebox'
import type { Tx } from '#platform/db/db.ts'
import { Invalid } from '#platform/errors.ts'
import { AnyJson, Closed, Id, OneOf } from '#platform/http/shapes.ts'
import { fromMatching } from '../contact-query.ts'
import type { Purpose } from '../rules/members.ts'
import { statuses } from '../contact-view.ts'
import { exportParams } from '../export/requests.ts'
import { checkFilter, toFilter, ViewedFilterOrRule } from '../given-filter.ts'

export const actionNames = [
  'add_tag',
  'remove_tag',
  'add_to_list',
  'remove_from_list',
  'add_to_group',
  'remove_from_group',
  'set_field',
  'set_status',
  'subscribe',
  'unsubscribe',
  'delete',
  'restore',
  'export',
] as const
export type ActionName = (typeof actionNames)[number]

const Params = Closed({
  tag: Type.Optional(Type.String({ minLength: 1, maxLength: 100, description: 'Name; made when it is new' })),
  list_id: Type.Optional(Id),
  group_id: Type.Optional(Id),
  field: Type.Optional(
    Type.String({ minLength: 1, maxLength: 100, description: 'A field of the contact, or custom_fields.<key>' }),
  ),
  value: Type.Optional(AnyJson),
  status: Type.Optional(OneOf(statuses)),
  type: Type.Optional(OneOf(['newsletter', 'marketing', 'all'])),
  ...exportParams,
})
export type Params = Static<typeof Params>

export const BulkAction = Closed({
  action: OneOf(actionNames),
  contact_ids: Type.Optional(Type.Array(Id, { minItems: 1, maxItems: 50_000 })),
  filter: Type.Optional(ViewedFilterOrRule),
  params: Type.Optional(Params),
  dry_run: Type.Optional(Type.Boolean({ description: 'Only say what would happen' })),
})
export type BulkAction = Static<typeof BulkAction>

/** Who is meant must be told, in one way. */
export async function checkMeant(tx: Tx, { contact_ids, filter }: BulkAction): Promise<void> {
  if (Boolean(contact_ids) === Boolean(filter)) {
    throw Invalid.at('/contact_ids', 'required', 'Say who is meant: either contact_ids or filter.')
  }
  await checkFilter(tx, filter, '/filter')
}

/** `from … c where …`. Restoring is about the deleted ones, everything else about the others. */
export async function fromMeant(
  tx: Tx,
  { action, contact_ids, filter }: BulkAction,
  purpose: Purpose,
): Promise<RawBuilder<unknown>> {
  const from = await fromMatching(tx, { ...toFilter(filter), deleted: action === 'restore' }, purpose)
  return contact_ids ? sql`${from} and c.id = any(${contact_ids}::uuid[])` : from
}

export async function countMeant(tx: Tx, bulk: BulkAction): Promise<number> {
  const from = await fromMeant(tx, bulk, 'whole')
  const { rows } = await sql<{ count: number }>`select count(*) as count ${from}`.execute(tx.sql)
  return rows[0]!.count
}
