import { Button, Group } from '@mantine/core'
import { SearchX, Upload, UserPlus, Users } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { useList } from '../api/list.ts'
import { useAbilities } from '../api/session.ts'
import type { Contact } from '../api/types.ts'
import { paths } from '../paths.ts'
import { DataTable } from '../table/data-table.tsx'
import { SearchBox } from '../table/search-box.tsx'
import { useUrlState } from '../table/use-url-state.ts'
import { atLeast, useNumbers } from '../ui/number.ts'
import { Page } from '../ui/page.tsx'
import { Empty } from '../ui/states.tsx'
import { BulkBar } from './bulk-bar.tsx'
import { contactName, useChosenColumns, useContactColumns } from './columns.tsx'
import { filterNames, filterQuery, Filters } from './filters.tsx'
import { useSelection } from './selection.ts'
import { TableSettings } from './table-settings.tsx'

const usualSort = '-created_at'

export function ContactsPage() {
  const { t } = useTranslation()
  const numbers = useNumbers()
  const { write, admin } = useAbilities()
  const [search, change] = useUrlState()
  const sort = search.sort ?? usualSort
  const limit = search.limit ?? '50'
  const filter = filterQuery(search)
  const list = useList<Contact>(['contacts'], '/contacts', { ...filter, sort, limit })
  const [chosenColumns, chooseColumns] = useChosenColumns()
  const columns = useContactColumns(chosenColumns)
  const { chosen, selection, clear, chooseEverything } = useSelection(JSON.stringify(filter))
  const isFiltered = Object.keys(filter).length > 0
  return (
    <Page
      title={t('nav.contacts')}
      lead={
        list.total === undefined
          ? ' '
          : t(isFiltered ? 'contacts.found' : 'contacts.total', {
              count: atLeast(list.total),
              total: numbers.total(list.total),
            })
      }
      actions={
        write && (
          <>
            <Button
              component="a"
              href={paths.importContacts()}
              variant="default"
              leftSection={<Upload size={16} aria-hidden />}
            >
              {t('contacts.import_short')}
            </Button>
            <Button component="a" href={paths.newContact()} leftSection={<UserPlus size={16} aria-hidden />}>
              {t('contacts.new')}
            </Button>
          </>
        )
      }
    >
      <Group className="toolbar" gap="xs">
        <SearchBox
          label={t('contacts.search')}
          value={search.search ?? ''}
          onChange={(text) => change({ search: text })}
          busy={list.isStale}
        />
        <Filters search={search} change={change} />
        <TableSettings
          chosen={chosenColumns}
          choose={chooseColumns}
          pageSize={limit}
          setPageSize={(size) => change({ limit: size })}
        />
      </Group>
      <BulkBar
        chosen={chosen}
        shown={list.rows.length}
        total={list.total}
        filter={filter}
        clear={clear}
        chooseEverything={chooseEverything}
      />
      <DataTable
        label={t('nav.contacts')}
        columns={columns}
        list={list}
        rowId={(contact) => contact.id}
        rowName={contactName}
        sort={sort}
        onSort={(next) => change({ sort: next })}
        {...(admin ? { selection } : {})}
        empty={
          isFiltered ? (
            <NothingFound
              reset={() =>
                change({ search: undefined, ...Object.fromEntries(filterNames.map((name) => [name, undefined])) })
              }
            />
          ) : (
            <NoContacts write={write} />
          )
        }
      />
    </Page>
  )
}

function NothingFound({ reset }: { reset: () => void }) {
  const { t } = useTranslation()
  return (
    <Empty
      icon={SearchX}
      title={t('contacts.nothing_found')}
      action={
        <Button variant="default" onClick={reset}>
          {t('filters.reset')}
        </Button>
      }
    >
      {t('contacts.nothing_found_text')}
    </Empty>
  )
}

function NoContacts({ write }: { write: boolean }) {
  const { t } = useTranslation()
  return (
    <Empty
      icon={Users}
      title={t('contacts.empty')}
      action={
        write && (
          <Group gap="xs" justify="center">
            <Button component="a" href={paths.importContacts()}>
              {t('contacts.import')}
            </Button>
            <Button component="a" href={paths.newContact()} variant="default">
              {t('contacts.new')}
            </Button>
          </Group>
        )
      }
    >
      {t('contacts.empty_text')}
    </Empty>
  )
}
