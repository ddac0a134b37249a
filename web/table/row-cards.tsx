import { Checkbox, Skeleton } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import type { DataTableProps } from './column.ts'

/** The same rows on a phone: the first column as the title, the others named beneath it. */
export function RowCards<T>({ label, columns, list, rowId, rowName, selection }: DataTableProps<T>) {
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
