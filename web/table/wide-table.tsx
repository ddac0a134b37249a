import { Checkbox, Skeleton } from '@mantine/core'
import { ArrowDown, ArrowUp, ChevronsUpDown } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import type { Column, DataTableProps } from './column.ts'

/** A real table: screen readers know its headers, its sort order and how many rows it has. */
export function WideTable<T>({ label, columns, list, rowId, rowName, sort, onSort, selection }: DataTableProps<T>) {
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
