import { Anchor, Button, Group, Text } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Inbox, Trash2 } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { emptySandbox } from '../api/communication.ts'
import { explain } from '../api/explain.ts'
import { useList } from '../api/list.ts'
import { useAbilities } from '../api/session.ts'
import type { SandboxRow } from '../api/types.ts'
import { paths } from '../paths.ts'
import { DataTable } from '../table/data-table.tsx'
import type { Column } from '../table/column.ts'
import { SearchBox } from '../table/search-box.tsx'
import { useUrlState } from '../table/use-url-state.ts'
import { confirm } from '../ui/confirm.tsx'
import { useNumbers } from '../ui/number.ts'
import { Page } from '../ui/page.tsx'
import { Empty } from '../ui/states.tsx'
import { Moment } from '../ui/time.tsx'
import { toastDone, toastProblem } from '../ui/toasts.tsx'

export const addressText = (to: string | string[]) => (Array.isArray(to) ? to.join(', ') : to)

export function SandboxPage() {
  const { t } = useTranslation()
  const numbers = useNumbers()
  const { campaigns: may } = useAbilities()
  const [search, change] = useUrlState()
  const list = useList<SandboxRow>(['sandbox'], '/communication/sandbox/messages', { search: search.search }, 10_000)
  const columns: Column<SandboxRow>[] = [
    {
      id: 'subject',
      header: t('content.subject'),
      cell: (row) => (
        <Anchor href={paths.sandboxMessage(row.id)} className="row-name">
          {row.subject || t('content.no_subject')}
        </Anchor>
      ),
    },
    { id: 'to', header: t('sandbox.to'), cell: (row) => addressText(row.to) },
    {
      id: 'from',
      header: t('sandbox.from'),
      cell: (row) => (
        <Text fz="sm" c="dimmed">
          {row.from}
        </Text>
      ),
    },
    { id: 'size', header: t('sandbox.size'), align: 'right', cell: (row) => numbers.bytes(row.size_bytes) },
    { id: 'received', header: t('sandbox.received'), cell: (row) => <Moment at={row.received_at} /> },
  ]
  return (
    <Page title={t('nav.sandbox')} lead={t('sandbox.lead')} actions={may && list.rows.length > 0 && <EmptyButton />}>
      <Group className="toolbar">
        <SearchBox
          label={t('sandbox.search')}
          value={search.search ?? ''}
          onChange={(text) => change({ search: text })}
          busy={list.isStale}
        />
      </Group>
      <DataTable
        label={t('nav.sandbox')}
        columns={columns}
        list={list}
        rowId={(row) => row.id}
        empty={
          <Empty
            icon={Inbox}
            title={search.search ? t('sandbox.nothing_found') : t('sandbox.empty')}
            action={
              !search.search &&
              may && (
                <Button component="a" href={paths.newCampaign()}>
                  {t('campaigns.new')}
                </Button>
              )
            }
          >
            {!search.search && t('sandbox.empty_text')}
          </Empty>
        }
      />
    </Page>
  )
}

function EmptyButton() {
  const { t } = useTranslation()
  const queries = useQueryClient()
  const clear = useMutation({
    mutationFn: emptySandbox,
    onSuccess: async () => {
      toastDone(t('sandbox.emptied'))
      await queries.invalidateQueries({ queryKey: ['sandbox'] })
    },
    onError: (error) => toastProblem(explain(error, t)),
  })
  const ask = () =>
    confirm({
      title: t('sandbox.clear_title'),
      body: t('sandbox.clear_text'),
      confirm: t('sandbox.clear'),
      cancel: t('common.cancel'),
      danger: true,
      run: () => clear.mutate(),
    })
  return (
    <Button variant="default" leftSection={<Trash2 size={16} aria-hidden />} loading={clear.isPending} onClick={ask}>
      {t('sandbox.clear')}
    </Button>
  )
}
