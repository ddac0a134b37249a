/** Groups for people: everybody in one, with the pairs that hold it together. */
import { sql } from 'kysely'
import type { Tx } from '#platform/db/db.ts'
import { afterCursor, countRows, orderBy, page, parseSort, type SortColumn } from '#platform/http/paging.ts'
import { shortColumns, suggestionsOfGroups, viewShort, type ShortContact } from './suggestions.ts'

interface GroupRow {
  id: string
  probability: number
  contacts: ShortContact[]
  sort_key: string
}

export interface GroupsQuery {
  contact_id?: string
  min_probability?: number
  sort?: string
  limit?: number
  cursor?: string
  count?: 'exact'
}

const sortColumns: Record<string, SortColumn> = { probability: { expression: sql`g.weight`, type: 'numeric' } }

export async function listGroups(tx: Tx, query: GroupsQuery) {
  const limit = query.limit ?? 50
  const sort = parseSort(query.sort, sortColumns, '-probability')
  const after = afterCursor(query.cursor, sort, sql`g.id`)
  const ofContact = sql`g.id in (
    select p.group_id from contacts.duplicate_pairs p where p.a = ${query.contact_id} or p.b = ${query.contact_id})`
  const from = sql`from contacts.duplicate_groups g where true
    ${query.contact_id ? sql`and ${ofContact}` : sql``}
    ${query.min_probability === undefined ? sql`` : sql`and g.probability >= ${query.min_probability}`}`
  const { rows } = await sql<GroupRow>`
    with g as materialized (
      select g.*, (${sort.column.expression})::text as sort_key ${from} ${after ? sql`and ${after}` : sql``}
      order by ${orderBy(sort, sql`g.id`)} limit ${limit + 1})
    select g.id, g.probability, g.sort_key, (
      select jsonb_agg(${shortColumns('c')} order by c.created_at, c.id) from contacts.contacts c
      where c.workspace_id = g.workspace_id and c.id = any(g.contact_ids) and c.deleted_at is null) as contacts
    from g order by ${orderBy(sort, sql`g.id`)}`.execute(tx.sql)
  const total = !after && rows.length <= limit ? rows.length : await countRows(tx, from, query.count === 'exact')
  const shown = page<GroupRow, GroupRow>(rows, limit, sort, (row) => row)
  const pairs = Map.groupBy(
    await suggestionsOfGroups(
      tx,
      shown.data.map(({ id }) => id),
    ),
    (pair) => pair.group_id,
  )
  const data = shown.data.map(({ id, probability, contacts }) => ({
    id,
    probability,
    contacts: (contacts ?? []).map(viewShort),
    pairs: pairs.get(id) ?? [],
  }))
  return { data, next_cursor: shown.next_cursor, total }
}
