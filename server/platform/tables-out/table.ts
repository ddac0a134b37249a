/** A table on its way into a file: columns with their kinds, and rows that come as they are read. */

export type CellKind = 'text' | 'number' | 'money' | 'time' | 'date' | 'yes_no'

/** Numbers that must stay exact (money) come as decimal text. */
export type Cell = string | number | boolean | Date | null

export interface Column {
  header: string
  kind: CellKind
}

/** Batches, because a step of an asynchronous iterator for each of a million rows costs more than its row. */
export type Batches = AsyncIterable<Cell[][]> | Iterable<Cell[][]>

export const contentTypes = {
  csv: 'text/csv; charset=utf-8',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  json: 'application/json; charset=utf-8',
  vcard: 'text/vcard; charset=utf-8',
  pdf: 'application/pdf',
} as const

export const extensions = { csv: 'csv', xlsx: 'xlsx', json: 'json', vcard: 'vcf', pdf: 'pdf' } as const

/** What a cell says where only text can be written. */
export function cellText(cell: Cell): string {
  if (cell === null) return ''
  if (cell instanceof Date) return cell.toISOString()
  if (typeof cell === 'boolean') return cell ? 'yes' : 'no'
  return String(cell)
}
