// A real table on wide screens, cards on a phone: the same columns, the same four faces (loading, failed, empty, rows).
import { Button, Center, Checkbox, Skeleton } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import { ArrowDown, ArrowUp, ChevronsUpDown } from 'lucide-react'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import type { ListState } from '../api/list.ts'
import { Failed } from '../ui/states.tsx'

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

type DataTableProps<T> = {
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

export function DataTable<T>(props: DataTableProps<T>) {
  const isPhone = useMediaQuery('(max-width: 47.99em)', false, { getInitialValueInEffect: false })
  const { list } = props
  if (list.error) return <Failed error={list.error} retry={list.retry} />
  if (!list.isLoading && list.rows.length === 0) return <>{props.empty}</>
  return (
    <div aria-busy={list.isLoading || list.isStale} data-stale={list.isStale || undefined} className="table-area">
      {isPhone ? <Cards {...props} /> : <WideTable {...props} />}
      <MoreRows list={list} />
    </div>
  )
}

function WideTable<T>({ label, columns, list, rowId, rowName, sort, onSort, selection }: DataTableProps<T>) {
  const { t } = useTranslation()
  const ids = list.rows.map(rowId)
  const selected = selection ? ids.filter(selection.has).length : 0
  return (
    <div className="table-scroll" role="region" aria-label={label} tabIndex={0}>
      <table className="table">
        <caption className="visually-hidden">{label}</caption>
        <thead>
          <tr>
            {selection && (
              <th scope="col" className="table-select">
                <Checkbox
                  aria-label={t('table.select_page')}
                  checked={selected > 0 && selected === ids.length}
                  indeterminate={selected > 0 && selected < ids.length}
                  onChange={() => selection.toggleAll(ids)}
                />
              </th>
            )}
            {columns.map((column) => (
              <Header key={column.id} column={column} sort={sort} onSort={onSort} />
            ))}
          </tr>
        </thead>
        <tbody>
          {list.isLoading
            ? Array.from({ length: 8 }, (_, row) => (
                <tr key={row}>
                  {selection && (
                    <td className="table-select">
                      <Skeleton height={20} width={20} radius="sm" />
                    </td>
                  )}
                  {columns.map((column) => (
                    <td key={column.id}>
                      <Skeleton height={14} width={`${55 + ((row * 17 + column.id.length * 11) % 40)}%`} radius="sm" />
                    </td>
                  ))}
                </tr>
              ))
            : list.rows.map((row) => {
                const id = rowId(row)
                return (
                  <tr key={id} data-selected={selection?.has(id) || undefined}>
                    {selection && (
                      <td className="table-select">
                        <Checkbox
                          aria-label={t('table.select_row', { name: rowName?.(row) ?? id })}
                          checked={selection.has(id)}
                          onChange={() => selection.toggle(id)}
                        />
                      </td>
                    )}
                    {columns.map((column) => (
                      <td key={column.id} data-align={column.align}>
                        {column.cell(row)}
                      </td>
                    ))}
                  </tr>
                )
              })}
        </tbody>
      </table>
    </div>
  )
}

type HeaderProps<T> = { column: Column<T>; sort: string | undefined; onSort: ((sort: string) => void) | undefined }

function Header<T>({ column, sort, onSort }: HeaderProps<T>) {
  const direction = sort === column.sort ? 'ascending' : sort === `-${column.sort}` ? 'descending' : 'none'
  const Icon = direction === 'ascending' ? ArrowUp : direction === 'descending' ? ArrowDown : ChevronsUpDown
  if (!column.sort || !onSort) {
    return (
      <th scope="col" data-align={column.align} style={{ width: column.width }}>
        {column.quiet ? <span className="visually-hidden">{column.header}</span> : column.header}
      </th>
    )
  }
  const next = direction === 'ascending' ? `-${column.sort}` : column.sort
  return (
    <th scope="col" aria-sort={direction} data-align={column.align} style={{ width: column.width }}>
      <button
        type="button"
        className="table-sort"
        data-sorted={direction !== 'none' || undefined}
        onClick={() => onSort(next)}
      >
        {column.header}
        <Icon size={14} aria-hidden />
      </button>
    </th>
  )
}

function Cards<T>({ label, columns, list, rowId, rowName, selection }: DataTableProps<T>) {
  const { t } = useTranslation()
  const [title, ...rest] = columns
  if (list.isLoading) return <Skeletons />
  return (
    <ul className="cards" aria-label={label}>
      {list.rows.map((row) => {
        const id = rowId(row)
        return (
          <li key={id} data-selected={selection?.has(id) || undefined}>
            <div className="cards-title">
              {selection && (
                <Checkbox
                  aria-label={t('table.select_row', { name: rowName?.(row) ?? id })}
                  checked={selection.has(id)}
                  onChange={() => selection.toggle(id)}
                />
              )}
              <div className="cards-name">{title?.cell(row)}</div>
            </div>
            <dl>
              {rest.map((column) => (
                <div key={column.id} data-quiet={column.quiet || undefined}>
                  {!column.quiet && <dt>{column.header}</dt>}
                  <dd>{column.cell(row)}</dd>
                </div>
              ))}
            </dl>
          </li>
        )
      })}
    </ul>
  )
}

function Skeletons() {
  return (
    <div className="cards" aria-hidden>
      {Array.from({ length: 5 }, (_, index) => (
        <Skeleton key={index} height={112} radius="md" mb="xs" />
      ))}
    </div>
  )
}

function MoreRows<T>({ list }: { list: ListState<T> }) {
  const { t } = useTranslation()
  if (!list.hasMore) return null
  return (
    <Center p="md">
      <Button variant="default" loading={list.isLoadingMore} onClick={list.loadMore}>
        {t('table.load_more')}
      </Button>
    </Center>
  )
}
