/**
 * Keyset pages: a cursor holds the sort key and id of the last row, so page 2,000 costs what page 1 costs and a row
 * that appears meanwhile neither repeats nor hides another.
 */
import { sql, type RawBuilder } from 'kysely'
import { Invalid, Unreadable } from '../errors.ts'
import { isId } from '../ids.ts'
import type { Tx } from '../db/db.ts'

export interface SortColumn {
  /** The SQL expression sorted by; never null (wrap it in coalesce). */
  expression: RawBuilder<unknown>
  /** The SQL type that the cursor's text is cast back to. */
  type: 'text' | 'timestamptz' | 'int' | 'numeric' | 'date'
}

export interface Sort {
  column: SortColumn
  descending: boolean
  name: string
}

/** Reads `sort=-created_at` against the list's own columns; a name that it does not offer is refused. */
export function parseSort(text: string | undefined, columns: Record<string, SortColumn>, fallback: string): Sort {
  const asked = text ?? fallback
  const descending = asked.startsWith('-')
  const name = descending ? asked.slice(1) : asked
  const column = Object.hasOwn(columns, name) ? columns[name] : undefined
  if (!column) {
    const offered = Object.keys(columns).join(', ')
    throw Invalid.at('?sort', 'unknown_sort', `Sort by one of ${offered}; a leading - turns the order round.`)
  }
  return { column, descending, name }
}

/** The order that goes with the cursor: the key, then the id, both in the same direction so that one index serves. */
export function orderBy(sort: Sort, id: RawBuilder<unknown>): RawBuilder<unknown> {
  const direction = sort.descending ? sql`desc` : sql`asc`
  return sql`${sort.column.expression} ${direction}, ${id} ${direction}`
}

/** Rows after the cursor; null on the first page. */
export function afterCursor(
  cursor: string | undefined,
  sort: Sort,
  id: RawBuilder<unknown>,
): RawBuilder<boolean> | null {
  if (cursor === undefined) return null
  const { key, lastId } = readCursor(cursor, sort)
  const type = sql.raw(sort.column.type)
  const compare = sort.descending ? sql`<` : sql`>`
  return sql<boolean>`(${sort.column.expression}, ${id}) ${compare} (${key}::${type}, ${lastId}::uuid)`
}

/** `key` is the sort expression's value as PostgreSQL's own text, so that nothing is lost to a conversion. */
export function writeCursor(sort: Sort, key: string, id: string): string {
  return Buffer.from(JSON.stringify([sort.descending ? `-${sort.name}` : sort.name, key, id])).toString('base64url')
}

function readCursor(cursor: string, sort: Sort): { key: string; lastId: string } {
  const unreadable = new Unreadable('bad_cursor', 'This cursor is not one that this list gave out. Start without it.')
  let parts: unknown
  try {
    parts = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))
  } catch {
    throw unreadable
  }
  if (!Array.isArray(parts) || parts.length !== 3 || !parts.every((part) => typeof part === 'string')) throw unreadable
  const [name, key, lastId] = parts as [string, string, string]
  if (name !== (sort.descending ? `-${sort.name}` : sort.name)) {
    throw new Unreadable('bad_cursor', 'This cursor belongs to another sort order. Start without it.')
  }
  if (!isId(lastId) || key.length > 1_000 || !keyFits(key, sort.column.type)) throw unreadable
  return { key, lastId }
}

function keyFits(key: string, type: SortColumn['type']): boolean {
  if (type === 'text') return !key.includes('\0')
  if (type === 'int') return /^-?\d{1,9}$/.test(key)
  if (type === 'numeric') return /^-?\d{1,30}(\.\d{1,20})?$/.test(key)
  return key === '-infinity' || key === 'infinity' || (/^\d{4}-\d\d-\d\d/.test(key) && !Number.isNaN(Date.parse(key)))
}

/** How far a total is counted unless the client asks for the number. */
export const countMax = 10_000

/**
 * Counts the rows of a query without its page: exactly to 10,000, then `{at_least: 10000}`, so that a count never costs
 * more than the page.
 */
export async function countRows(
  tx: Tx,
  from: RawBuilder<unknown>,
  exact: boolean,
): Promise<number | { at_least: number }> {
  const limit = exact ? sql`` : sql`limit ${countMax + 1}`
  const { rows } = await sql<{
    count: number
  }>`select count(*) as count from (select 1 ${from} ${limit}) as counted`.execute(tx.sql)
  const count = rows[0]?.count ?? 0
  return !exact && count > countMax ? { at_least: countMax } : count
}

/** Cuts the row too many that was read to know whether there is another page. */
export function page<Row extends { id: string; sort_key: string }, View>(
  rows: Row[],
  limit: number,
  sort: Sort,
  view: (row: Row) => View,
): { data: View[]; next_cursor: string | null } {
  const shown = rows.slice(0, limit)
  const last = shown.at(-1)
  const next = rows.length > limit && last ? writeCursor(sort, last.sort_key, last.id) : null
  return { data: shown.map(view), next_cursor: next }
}
