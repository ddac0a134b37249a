// A real table on wide screens, cards on a phone: the same columns, the same four faces (loading, failed, empty, rows).
import { Button, Center } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import { useTranslation } from 'react-i18next'
import type { ListState } from '../api/list.ts'
import { Failed } from '../ui/states.tsx'
import type { DataTableProps } from './column.ts'
import { RowCards } from './row-cards.tsx'
import { WideTable } from './wide-table.tsx'

export function DataTable<T>(props: DataTableProps<T>) {
  const isPhone = useMediaQuery('(max-width: 47.99em)', false, { getInitialValueInEffect: false })
  const { list } = props
  if (list.error) return <Failed error={list.error} retry={list.retry} />
  if (!list.isLoading && list.rows.length === 0) return <>{props.empty}</>
  return (
    <div aria-busy={list.isLoading || list.isStale} data-stale={list.isStale || undefined} className="table-area">
      {isPhone ? <RowCards {...props} /> : <WideTable {...props} />}
      <MoreRows list={list} />
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
