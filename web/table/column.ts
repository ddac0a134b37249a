// What every face of a list is told: its columns, its rows, and how they are sorted and chosen.
import type { ReactNode } from 'react'
import type { ListState } from '../api/list.ts'

export type Column<T> = {
  id: string
  header: string
  cell: (row: T) => ReactNode
  sort?: string
  align?: 'right'
  width?: number | string
  /** The header is only for screen readers: a column of buttons. */
  quiet?: boolean
}

export type Selection = {
  has: (id: string) => boolean
  toggle: (id: string) => void
  toggleAll: (ids: string[]) => void
}

export type DataTableProps<T> = {
  label: string
  columns: Column<T>[]
  list: ListState<T>
  rowId: (row: T) => string
  rowName?: (row: T) => string
  empty: ReactNode
  sort?: string
  onSort?: (sort: string) => void
  selection?: Selection
}
