/** Whom an export is about, and in which order. */
import { sql, type RawBuilder } from 'kysely'
import type { Tx } from '#platform/db/db.ts'
import { orderBy, parseSort } from '#platform/http/paging.ts'
import { contactSort, fromMatching } from '../contact-query.ts'
import { toFilter } from '../given-filter.ts'
import type { ExportRequest } from './requests.ts'

export interface Matching {
  /** `from … c where …`, to be continued with `and`. */
  from: RawBuilder<unknown>
  /** The same, to be counted. */
  counted: RawBuilder<unknown>
  order: RawBuilder<unknown>
}

/** Ids that are not here (any more) are simply not in the file; a sort that is none is refused. */
export async function matchingOf(tx: Tx, { filter: given, contact_ids, sort }: ExportRequest): Promise<Matching> {
  const filter = toFilter(given)
  const chosen = contact_ids ? sql`and c.id = any(${contact_ids}::uuid[])` : sql``
  const { columns, fallback } = contactSort(filter)
  return {
    from: sql`${await fromMatching(tx, filter, 'page')} ${chosen}`,
    counted: sql`${await fromMatching(tx, filter, 'whole')} ${chosen}`,
    order: orderBy(parseSort(sort, columns, fallback), sql`c.id`),
  }
}

export async function countMatching(tx: Tx, { counted }: Matching): Promise<number> {
  const { rows } = await sql<{ count: number }>`select count(*) as count ${counted}`.execute(tx.sql)
  return rows[0]?.count ?? 0
}
