import { Anchor, Badge, Button } from '@mantine/core'
import { FileClock, Upload } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { useList } from '../api/list.ts'
import type { Import } from '../api/types.ts'
import { paths } from '../paths.ts'
import { DataTable } from '../table/data-table.tsx'
import type { Column } from '../table/column.ts'
import { useNumbers } from '../ui/number.ts'
import { Page } from '../ui/page.tsx'
import { Empty } from '../ui/states.tsx'
import { Moment } from '../ui/time.tsx'

const colors: Record<Import['status'], string> = {
  queued: 'gray',
  running: 'blue',
  succeeded: 'pine',
  failed: 'red',
  canceled: 'gray',
  undone: 'gray',
}

export function ImportsPage() {
  const { t } = useTranslation()
  const numbers = useNumbers()
  const list = useList<Import>(['imports'], '/contacts/imports')
  const columns: Column<Import>[] = [
    {
      id: 'file',
      header: t('import.file'),
      cell: (row) => (
        <Anchor href={paths.importContacts({ import: row.id })} className="row-name">
          {row.file_name}
        </Anchor>
      ),
    },
    {
      id: 'status',
      header: t('columns.status'),
      cell: (row) => (
        <Badge color={colors[row.status]} className="badge">
          {row.dry_run ? t('import.status_rehearsal') : t(`import.status_${row.status}`)}
        </Badge>
      ),
    },
    { id: 'rows', header: t('import.rows'), align: 'right', cell: (row) => numbers.count(row.rows) },
    { id: 'created', header: t('import.created'), align: 'right', cell: (row) => numbers.count(row.created) },
    {
      id: 'updated',
      header: t('import.updated'),
      align: 'right',
      cell: (row) => numbers.count(row.updated + row.merged),
    },
    { id: 'failed', header: t('import.failed'), align: 'right', cell: (row) => numbers.count(row.failed) },
    { id: 'when', header: t('import.when'), cell: (row) => <Moment at={row.started_at ?? row.created_at} /> },
  ]
  const button = (
    <Button component="a" href={paths.importContacts()} leftSection={<Upload size={16} aria-hidden />}>
      {t('contacts.import')}
    </Button>
  )
  return (
    <Page title={t('import.history')} back={{ href: paths.contacts(), label: t('nav.contacts') }} actions={button}>
      <DataTable
        label={t('import.history')}
        columns={columns}
        list={list}
        rowId={(row) => row.id}
        empty={
          <Empty icon={FileClock} title={t('import.no_history')} action={button}>
            {t('import.no_history_text')}
          </Empty>
        }
      />
    </Page>
  )
}
