// What can be done with the chosen contacts. Deleting offers an undo; each action is a job on the server.
import { Anchor, Button, Group, Menu, Modal, Stack, Text } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { ChevronDown, ListPlus, MailCheck, MailX, TagIcon, Trash2, Undo2 } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Query } from '../api/client.ts'
import { type BulkAction, type BulkRequest, runBulkAction, useContactsChanged } from '../api/contacts.ts'
import { explain } from '../api/explain.ts'
import { finishJob } from '../api/jobs.ts'
import type { Total } from '../api/types.ts'
import { ListChoice, TagChoice } from '../form/choices.tsx'
import { atLeast, useNumbers } from '../ui/number.ts'
import { toastDone, toastProblem } from '../ui/toasts.tsx'
import { type Chosen, subjectOf } from './selection.ts'

type BulkBarProps = {
  chosen: Chosen
  shown: number
  total: Total | undefined
  filter: Query
  clear: () => void
  chooseEverything: () => void
}

export function BulkBar({ chosen, shown, total, filter, clear, chooseEverything }: BulkBarProps) {
  const { t } = useTranslation()
  const numbers = useNumbers()
  const [asking, setAsking] = useState<'add_tag' | 'remove_tag' | 'add_to_list' | null>(null)
  const bulk = useBulk(clear)
  const subject = subjectOf(chosen, filter)
  const count = chosen.everything ? atLeast(total) : chosen.ids.size
  const run = (action: BulkAction, params?: Record<string, unknown>) =>
    bulk.mutate({ action, ...subject, ...(params ? { params } : {}) })
  if (count === 0) return null
  const isWholePage = !chosen.everything && chosen.ids.size >= shown && atLeast(total) > shown
  return (
    <Group className="bulk" role="region" aria-label={t('bulk.title')} justify="space-between" gap="sm">
      <Group gap="md">
        <Text fz="sm" fw={600} role="status">
          {chosen.everything ? t('bulk.everything', { total: numbers.total(total) }) : t('bulk.chosen', { count })}
        </Text>
        {isWholePage && (
          <Anchor component="button" type="button" fz="sm" onClick={chooseEverything}>
            {t('bulk.choose_everything', { total: numbers.total(total) })}
          </Anchor>
        )}
        <Anchor component="button" type="button" fz="sm" onClick={clear}>
          {t('bulk.clear')}
        </Anchor>
      </Group>
      <Group gap="xs">
        <Button
          variant="default"
          size="xs"
          leftSection={<TagIcon size={15} aria-hidden />}
          onClick={() => setAsking('add_tag')}
        >
          {t('bulk.add_tag')}
        </Button>
        <Button
          variant="default"
          size="xs"
          leftSection={<ListPlus size={15} aria-hidden />}
          onClick={() => setAsking('add_to_list')}
        >
          {t('bulk.add_to_list')}
        </Button>
        <Menu position="bottom-end" width={230}>
          <Menu.Target>
            <Button
              variant="default"
              size="xs"
              rightSection={<ChevronDown size={15} aria-hidden />}
              loading={bulk.isPending}
            >
              {t('bulk.more')}
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item leftSection={<TagIcon size={16} aria-hidden />} onClick={() => setAsking('remove_tag')}>
              {t('bulk.remove_tag')}
            </Menu.Item>
            <Menu.Item
              leftSection={<MailCheck size={16} aria-hidden />}
              onClick={() => run('subscribe', { type: 'newsletter' })}
            >
              {t('bulk.subscribe')}
            </Menu.Item>
            <Menu.Item
              leftSection={<MailX size={16} aria-hidden />}
              onClick={() => run('unsubscribe', { type: 'newsletter' })}
            >
              {t('bulk.unsubscribe')}
            </Menu.Item>
            <Menu.Divider />
            {filter.deleted ? (
              <Menu.Item leftSection={<Undo2 size={16} aria-hidden />} onClick={() => run('restore')}>
                {t('bulk.restore')}
              </Menu.Item>
            ) : (
              <Menu.Item color="red" leftSection={<Trash2 size={16} aria-hidden />} onClick={() => run('delete')}>
                {t('bulk.delete')}
              </Menu.Item>
            )}
          </Menu.Dropdown>
        </Menu>
      </Group>
      {asking && <AskWhich action={asking} close={() => setAsking(null)} run={run} />}
    </Group>
  )
}

type AskWhichProps = {
  action: 'add_tag' | 'remove_tag' | 'add_to_list'
  close: () => void
  run: (action: BulkAction, params: Record<string, unknown>) => void
}

function AskWhich({ action, close, run }: AskWhichProps) {
  const { t } = useTranslation()
  const [tag, setTag] = useState('')
  const [listId, setListId] = useState<string | null>(null)
  const isReady = action === 'add_to_list' ? listId !== null : tag.trim() !== ''
  const submit = () => {
    if (action === 'add_to_list') run(action, { list_id: listId })
    else run(action, { tag: tag.trim() })
    close()
  }
  return (
    <Modal opened onClose={close} title={t(`bulk.${action}`)} closeButtonProps={{ 'aria-label': t('common.close') }}>
      <Stack>
        {action === 'add_to_list' ? (
          <ListChoice label={t('filters.list')} value={listId} onChange={setListId} />
        ) : (
          <TagChoice label={t('bulk.tag')} value={tag} onChange={setTag} />
        )}
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>
            {t('common.cancel')}
          </Button>
          <Button disabled={!isReady} onClick={submit}>
            {t('bulk.apply')}
          </Button>
        </Group>
      </Stack>
    </Modal>
  )
}

function useBulk(clear: () => void) {
  const { t } = useTranslation()
  const changed = useContactsChanged()
  return useMutation({
    mutationFn: async (request: BulkRequest) => {
      const job = await finishJob((await runBulkAction(request)).id)
      if (job.status !== 'succeeded') throw new Error(job.status)
      return job
    },
    onSuccess: async (_job, request) => {
      clear()
      await changed()
      const undo = undoOf(
        request,
        (back) =>
          void runBulkAction(back)
            .then(({ id }) => finishJob(id))
            .then(changed),
      )
      toastDone(t('bulk.done'), undo && { label: t('common.undo'), run: undo })
    },
    onError: (error) => toastProblem(explain(error, t)),
  })
}

/** Only a deletion of named contacts can be taken back exactly: a filter would match other contacts afterwards. */
function undoOf(request: BulkRequest, run: (request: BulkRequest) => void): (() => void) | undefined {
  const ids = request.contact_ids
  return request.action === 'delete' && ids ? () => run({ action: 'restore', contact_ids: ids }) : undefined
}
