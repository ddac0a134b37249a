import { ActionIcon, Anchor, Button, Group } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { Merge, Pencil, Plus, TagIcon, Trash2 } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { deleteTag, useContactsChanged } from '../api/contacts.ts'
import { explain } from '../api/explain.ts'
import { useList } from '../api/list.ts'
import { useAbilities } from '../api/session.ts'
import type { Tag } from '../api/types.ts'
import { paths } from '../paths.ts'
import { DataTable } from '../table/data-table.tsx'
import type { Column } from '../table/column.ts'
import { SearchBox } from '../table/search-box.tsx'
import { useUrlState } from '../table/use-url-state.ts'
import { confirm } from '../ui/confirm.tsx'
import { useNumbers } from '../ui/number.ts'
import { Page } from '../ui/page.tsx'
import { Empty } from '../ui/states.tsx'
import { Swatch } from '../ui/swatch.tsx'
import { toastDone, toastProblem } from '../ui/toasts.tsx'
import { MergeTag } from './merge-tag.tsx'
import { TagForm } from './tag-form.tsx'

export function TagsPage() {
  const { t } = useTranslation()
  const numbers = useNumbers()
  const { write } = useAbilities()
  const [search, change] = useUrlState()
  const list = useList<Tag>(['tags'], '/tags', { search: search.search })
  const [editing, setEditing] = useState<Tag | 'new' | null>(null)
  const [merging, setMerging] = useState<Tag | null>(null)
  const drop = useDeletion()
  const actions = (tag: Tag) => (
    <Group gap={2} justify="flex-end" wrap="nowrap">
      <TagAction icon={Pencil} label={t('tags.edit', { name: tag.name })} run={() => setEditing(tag)} />
      <TagAction icon={Merge} label={t('tags.merge', { name: tag.name })} run={() => setMerging(tag)} />
      <TagAction icon={Trash2} label={t('tags.delete', { name: tag.name })} run={() => drop(tag)} />
    </Group>
  )
  const columns: Column<Tag>[] = [
    {
      id: 'name',
      header: t('columns.name'),
      cell: (tag) => (
        <Group gap={10} wrap="nowrap">
          <Swatch color={tag.color} size={12} />
          <Anchor href={paths.contacts({ tags: tag.name })} className="row-name">
            {tag.name}
          </Anchor>
        </Group>
      ),
    },
    { id: 'count', header: t('nav.contacts'), align: 'right', cell: (tag) => numbers.count(tag.contact_count) },
    ...(write
      ? [{ id: 'actions', header: t('table.actions'), quiet: true, align: 'right' as const, width: 140, cell: actions }]
      : []),
  ]
  const newButton = write && (
    <Button leftSection={<Plus size={16} aria-hidden />} onClick={() => setEditing('new')}>
      {t('tags.new')}
    </Button>
  )
  return (
    <Page title={t('nav.tags')} lead={t('tags.lead')} actions={newButton}>
      <Group className="toolbar">
        <SearchBox
          label={t('tags.search')}
          value={search.search ?? ''}
          onChange={(text) => change({ search: text })}
          busy={list.isStale}
        />
      </Group>
      <DataTable
        label={t('nav.tags')}
        columns={columns}
        list={list}
        rowId={(tag) => tag.id}
        empty={
          <Empty
            icon={TagIcon}
            title={search.search ? t('tags.nothing_found') : t('tags.empty')}
            action={!search.search && newButton}
          >
            {!search.search && t('tags.empty_text')}
          </Empty>
        }
      />
      {editing && <TagForm {...(editing === 'new' ? {} : { tag: editing })} close={() => setEditing(null)} />}
      {merging && <MergeTag tag={merging} close={() => setMerging(null)} />}
    </Page>
  )
}

function TagAction({ icon: Icon, label, run }: { icon: typeof Pencil; label: string; run: () => void }) {
  return (
    <ActionIcon variant="subtle" color="gray" size="md" aria-label={label} title={label} onClick={run}>
      <Icon size={16} aria-hidden />
    </ActionIcon>
  )
}

/** Deleting a tag takes it from every contact, which no toast could give back: so it asks. */
function useDeletion(): (tag: Tag) => void {
  const { t } = useTranslation()
  const changed = useContactsChanged()
  const drop = useMutation({
    mutationFn: deleteTag,
    onSuccess: async (_reply, tag) => {
      toastDone(t('tags.deleted', { name: tag.name }))
      await changed()
    },
    onError: (error) => toastProblem(explain(error, t)),
  })
  return (tag) =>
    confirm({
      title: t('tags.delete', { name: tag.name }),
      body: t('tags.delete_text', { count: tag.contact_count }),
      confirm: t('common.delete'),
      cancel: t('common.cancel'),
      danger: true,
      run: () => drop.mutate(tag),
    })
}
