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

/** The API's value as one cell: names separated by commas, objects as JSON. */
export function toCell(value: unknown): Cell {
  if (value === null || value === undefined) return null
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value
  if (value instanceof Date) return value
  if (Array.isArray(value)) return listText(value.map(itemText))
  return Object.keys(value).length ? JSON.stringify(value) : ''
}

/** Names that hold a separator themselves stand as JSON, which the import reads as well. */
export function listText(names: string[]): string {
  const ambiguous = names.some((name) => /[,;|]|^\[|^\s|\s$/.test(name))
  return ambiguous ? JSON.stringify(names) : names.join(', ')
}

function itemText(item: unknown): string {
  if (typeof item === 'string') return item
  if (item && typeof item === 'object' && 'name' in item && typeof item.name === 'string') return item.name
  return JSON.stringify(item)
}
