import { ActionIcon, Anchor, Button, Group } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Copy, FilePlus2, FileText, Trash2 } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { deleteTemplate, duplicateTemplate, restoreTemplate } from '../api/communication.ts'
import { explain } from '../api/explain.ts'
import { useList } from '../api/list.ts'
import { useAbilities } from '../api/session.ts'
import type { Template } from '../api/types.ts'
import { paths } from '../paths.ts'
import { useFollow } from '../shell/link-navigation.ts'
import { DataTable } from '../table/data-table.tsx'
import type { Column } from '../table/column.ts'
import { SearchBox } from '../table/search-box.tsx'
import { useUrlState } from '../table/use-url-state.ts'
import { Page } from '../ui/page.tsx'
import { Empty } from '../ui/states.tsx'
import { Moment } from '../ui/time.tsx'
import { toastDone, toastProblem } from '../ui/toasts.tsx'

export function TemplatesPage() {
  const { t } = useTranslation()
  const { campaigns: may } = useAbilities()
  const [search, change] = useUrlState()
  const list = useList<Template>(['templates'], '/communication/templates', { search: search.search })
  const { copy, drop } = useTemplateActions()
  const actions = (row: Template) => (
    <Group gap={2} justify="flex-end" wrap="nowrap">
      <ActionIcon
        variant="subtle"
        color="gray"
        size="md"
        aria-label={t('templates.duplicate', { name: row.name })}
        title={t('templates.duplicate', { name: row.name })}
        onClick={() => copy(row)}
      >
        <Copy size={16} aria-hidden />
      </ActionIcon>
      <ActionIcon
        variant="subtle"
        color="gray"
        size="md"
        aria-label={t('templates.delete', { name: row.name })}
        title={t('templates.delete', { name: row.name })}
        onClick={() => drop(row)}
      >
        <Trash2 size={16} aria-hidden />
      </ActionIcon>
    </Group>
  )
  const columns: Column<Template>[] = [
    {
      id: 'name',
      header: t('columns.name'),
      cell: (row) => (
        <Anchor href={paths.template(row.id)} className="row-name">
          {row.name}
        </Anchor>
      ),
    },
    { id: 'subject', header: t('content.subject'), cell: (row) => row.subject },
    { id: 'updated', header: t('columns.updated'), cell: (row) => <Moment at={row.updated_at} /> },
    ...(may
      ? [{ id: 'actions', header: t('table.actions'), quiet: true, align: 'right' as const, width: 100, cell: actions }]
      : []),
  ]
  const newButton = may && (
    <Button component="a" href={paths.newTemplate()} leftSection={<FilePlus2 size={16} aria-hidden />}>
      {t('templates.new')}
    </Button>
  )
  return (
    <Page title={t('nav.templates')} lead={t('templates.lead')} actions={newButton}>
      <Group className="toolbar">
        <SearchBox
          label={t('templates.search')}
          value={search.search ?? ''}
          onChange={(text) => change({ search: text })}
          busy={list.isStale}
        />
      </Group>
      <DataTable
        label={t('nav.templates')}
        columns={columns}
        list={list}
        rowId={(row) => row.id}
        empty={
          <Empty
            icon={FileText}
            title={search.search ? t('templates.nothing_found') : t('templates.empty')}
            action={!search.search && newButton}
          >
            {!search.search && t('templates.empty_text')}
          </Empty>
        }
      />
    </Page>
  )
}

function useTemplateActions() {
  const { t } = useTranslation()
  const follow = useFollow()
  const queries = useQueryClient()
  const changed = () => queries.invalidateQueries({ queryKey: ['templates'] })
  const complain = (error: unknown) => toastProblem(explain(error, t))
  const copy = useMutation({
    mutationFn: (row: Template) => duplicateTemplate(row.id),
    onSuccess: async (made) => {
      await changed()
      follow(paths.template(made.id))
    },
    onError: complain,
  })
  const drop = useMutation({
    mutationFn: deleteTemplate,
    onSuccess: async (_reply, { id, name }) => {
      await changed()
      const undo = () => void restoreTemplate(id).then(changed, complain)
      toastDone(t('templates.deleted', { name }), { label: t('common.undo'), run: undo })
    },
    onError: complain,
  })
  return { copy: (row: Template) => copy.mutate(row), drop: (row: Template) => drop.mutate(row) }
}
