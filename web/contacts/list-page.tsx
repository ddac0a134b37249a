import { ActionIcon, Button, Group, Modal, Stack } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useLocation, useParams } from '@tanstack/react-router'
import { Pencil, Trash2, UserMinus, UserPlus, Users } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import {
  addToList,
  changeList,
  deleteList,
  listQuery,
  removeFromList,
  restoreList,
  useContactsChanged,
} from '../api/contacts.ts'
import { explain } from '../api/explain.ts'
import { useList } from '../api/list.ts'
import { useAbilities } from '../api/session.ts'
import type { Contact } from '../api/types.ts'
import { ContactChoice } from '../form/choices.tsx'
import { paths } from '../paths.ts'
import { useFollow } from '../shell/link-navigation.ts'
import { DataTable } from '../table/data-table.tsx'
import type { Column } from '../table/column.ts'
import { SearchBox } from '../table/search-box.tsx'
import { useUrlState } from '../table/use-url-state.ts'
import { Page } from '../ui/page.tsx'
import { Empty, Failed } from '../ui/states.tsx'
import { Swatch } from '../ui/swatch.tsx'
import { toastDone, toastProblem } from '../ui/toasts.tsx'
import { contactName, useContactColumns } from './columns.tsx'
import { ListForm } from './list-form.tsx'

export function ListPage() {
  const { t } = useTranslation()
  const { id = '' } = useParams({ strict: false }) as { id?: string }
  const isEditing = useLocation({ select: ({ pathname }) => pathname === paths.editList(id) })
  const { write } = useAbilities()
  const follow = useFollow()
  const changed = useContactsChanged()
  const [search, change] = useUrlState()
  const { data: list, error, refetch } = useQuery(listQuery(id))
  const sort = search.sort ?? '-created_at'
  const members = useList<Contact>(['lists', id, 'contacts'], '/contacts', { list: id, search: search.search, sort })
  const columns = [...useContactColumns(['company', 'status', 'engagement', 'created']), ...useRemoveColumn(id, write)]
  const [isAdding, setAdding] = useState(false)
  const drop = useDeletion(id)
  if (error) return <Failed error={error} retry={() => void refetch()} />
  return (
    <Page
      title={list?.name ?? t('common.loading')}
      heading={
        <Group gap={10} component="span">
          <Swatch color={list?.color} size={14} />
          {list?.name ?? t('common.loading')}
        </Group>
      }
      lead={
        list ? [t('lists.members', { count: list.contact_count }), list.description].filter(Boolean).join(' · ') : ' '
      }
      back={{ href: paths.lists(), label: t('nav.lists') }}
      actions={
        write &&
        list && (
          <>
            <Button
              variant="default"
              leftSection={<Trash2 size={16} aria-hidden />}
              loading={drop.isPending}
              onClick={() => drop.mutate(list)}
            >
              {t('common.delete')}
            </Button>
            <Button
              component="a"
              href={paths.editList(id)}
              variant="default"
              leftSection={<Pencil size={16} aria-hidden />}
            >
              {t('common.edit')}
            </Button>
            <Button leftSection={<UserPlus size={16} aria-hidden />} onClick={() => setAdding(true)}>
              {t('lists.add_contact')}
            </Button>
          </>
        )
      }
    >
      <Group className="toolbar">
        <SearchBox
          label={t('contacts.search')}
          value={search.search ?? ''}
          onChange={(text) => change({ search: text })}
          busy={members.isStale}
        />
      </Group>
      <DataTable
        label={t('lists.members_label')}
        columns={columns}
        list={members}
        rowId={(row) => row.id}
        sort={sort}
        onSort={(next) => change({ sort: next })}
        empty={
          <Empty icon={Users} title={search.search ? t('contacts.nothing_found') : t('lists.no_members')}>
            {!search.search && t('lists.no_members_text')}
          </Empty>
        }
      />
      {isAdding && <AddMember listId={id} close={() => setAdding(false)} />}
      {isEditing && list && (
        <ListForm
          title={t('lists.edit')}
          list={list}
          close={() => follow(paths.list(id), 'replace')}
          send={(fields) => changeList(list, fields)}
          done={async () => {
            await changed()
            toastDone(t('common.saved'))
            follow(paths.list(id), 'replace')
          }}
        />
      )}
    </Page>
  )
}

function useDeletion(id: string) {
  const { t } = useTranslation()
  const follow = useFollow()
  const changed = useContactsChanged()
  return useMutation({
    mutationFn: deleteList,
    onSuccess: async (_reply, list) => {
      follow(paths.lists())
      await changed()
      toastDone(t('lists.deleted', { name: list.name }), {
        label: t('common.undo'),
        run: () => void restoreList(id).then(changed),
      })
    },
    onError: (error) => toastProblem(explain(error, t)),
  })
}

function useRemoveColumn(listId: string, may: boolean): Column<Contact>[] {
  const { t } = useTranslation()
  const changed = useContactsChanged()
  const drop = useMutation({
    mutationFn: (contact: Contact) => removeFromList(listId, [contact.id]),
    onSuccess: async (_reply, contact) => {
      await changed()
      toastDone(t('lists.removed', { name: contactName(contact) }), {
        label: t('common.undo'),
        run: () => void addToList(listId, [contact.id]).then(changed),
      })
    },
    onError: (error) => toastProblem(explain(error, t)),
  })
  if (!may) return []
  const cell = (contact: Contact) => (
    <ActionIcon
      variant="subtle"
      color="gray"
      size="md"
      aria-label={t('lists.remove', { name: contactName(contact) })}
      title={t('lists.remove', { name: contactName(contact) })}
      onClick={() => drop.mutate(contact)}
    >
      <UserMinus size={16} aria-hidden />
    </ActionIcon>
  )
  return [{ id: 'remove', header: t('lists.remove_header'), quiet: true, align: 'right', width: 56, cell }]
}

function AddMember({ listId, close }: { listId: string; close: () => void }) {
  const { t } = useTranslation()
  const changed = useContactsChanged()
  const [contactId, setContactId] = useState<string | null>(null)
  const add = useMutation({
    mutationFn: (id: string) => addToList(listId, [id]),
    onSuccess: async () => {
      close()
      toastDone(t('lists.added'))
      await changed()
    },
    onError: (error) => toastProblem(explain(error, t)),
  })
  return (
    <Modal opened onClose={close} title={t('lists.add_contact')} closeButtonProps={{ 'aria-label': t('common.close') }}>
      <Stack>
        <ContactChoice
          label={t('lists.which_contact')}
          placeholder={t('contacts.search')}
          value={contactId}
          onChange={setContactId}
        />
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>
            {t('common.cancel')}
          </Button>
          <Button disabled={!contactId} loading={add.isPending} onClick={() => contactId && add.mutate(contactId)}>
            {t('lists.add')}
          </Button>
        </Group>
      </Stack>
    </Modal>
  )
}
