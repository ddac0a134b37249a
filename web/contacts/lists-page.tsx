import { Anchor, Button, Group, Text } from '@mantine/core'
import { useLocation } from '@tanstack/react-router'
import { ListPlus, ListX } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { createList, useContactsChanged } from '../api/contacts.ts'
import { useList } from '../api/list.ts'
import { useAbilities } from '../api/session.ts'
import type { List } from '../api/types.ts'
import { paths } from '../paths.ts'
import { useFollow } from '../shell/link-navigation.ts'
import { DataTable } from '../table/data-table.tsx'
import type { Column } from '../table/column.ts'
import { SearchBox } from '../table/search-box.tsx'
import { useUrlState } from '../table/use-url-state.ts'
import { useNumbers } from '../ui/number.ts'
import { Page } from '../ui/page.tsx'
import { Empty } from '../ui/states.tsx'
import { Swatch } from '../ui/swatch.tsx'
import { Moment } from '../ui/time.tsx'
import { toastDone } from '../ui/toasts.tsx'
import { ListForm } from './list-form.tsx'

export function ListsPage() {
  const { t } = useTranslation()
  const numbers = useNumbers()
  const { write } = useAbilities()
  const follow = useFollow()
  const changed = useContactsChanged()
  const [search, change] = useUrlState()
  const isNew = useLocation({ select: ({ pathname }) => pathname === paths.newList() })
  const list = useList<List>(['lists'], '/lists', { search: search.search })
  const columns: Column<List>[] = [
    {
      id: 'name',
      header: t('columns.name'),
      cell: (row) => (
        <Group gap={10} wrap="nowrap">
          <Swatch color={row.color} size={12} />
          <div>
            <Anchor href={paths.list(row.id)} className="row-name">
              {row.name}
            </Anchor>
            {row.description && (
              <Text fz="xs" c="dimmed" lineClamp={1}>
                {row.description}
              </Text>
            )}
          </div>
        </Group>
      ),
    },
    { id: 'count', header: t('nav.contacts'), align: 'right', cell: (row) => numbers.count(row.contact_count) },
    { id: 'created', header: t('columns.created'), cell: (row) => <Moment at={row.created_at} /> },
  ]
  const newButton = write && (
    <Button component="a" href={paths.newList()} leftSection={<ListPlus size={16} aria-hidden />}>
      {t('lists.new')}
    </Button>
  )
  return (
    <Page title={t('nav.lists')} lead={t('lists.lead')} actions={newButton}>
      <Group className="toolbar">
        <SearchBox
          label={t('lists.search')}
          value={search.search ?? ''}
          onChange={(text) => change({ search: text })}
          busy={list.isStale}
        />
      </Group>
      <DataTable
        label={t('nav.lists')}
        columns={columns}
        list={list}
        rowId={(row) => row.id}
        empty={
          <Empty
            icon={ListX}
            title={search.search ? t('lists.nothing_found') : t('lists.empty')}
            action={!search.search && newButton}
          >
            {!search.search && t('lists.empty_text')}
          </Empty>
        }
      />
      {isNew && (
        <ListForm
          title={t('lists.new')}
          close={() => follow(paths.lists(), 'replace')}
          send={createList}
          done={async (created) => {
            await changed()
            toastDone(t('lists.created', { name: created.name }))
            follow(paths.list(created.id), 'replace')
          }}
        />
      )}
    </Page>
  )
}
