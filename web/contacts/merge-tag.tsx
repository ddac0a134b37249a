import { Button, Group, Modal, Select, Stack, Text } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { allTagsQuery, mergeTags, useContactsChanged } from '../api/contacts.ts'
import type { Tag } from '../api/types.ts'
import { ProblemAlert } from '../form/problem-alert.tsx'
import { toastDone } from '../ui/toasts.tsx'

/** Folds one tag into another: its contacts carry the other from then on. */
export function MergeTag({ tag, close }: { tag: Tag; close: () => void }) {
  const { t } = useTranslation()
  const changed = useContactsChanged()
  const tags = useQuery(allTagsQuery)
  const [intoId, setIntoId] = useState<string | null>(null)
  const others = tags.data?.filter(({ id }) => id !== tag.id) ?? []
  const into = others.find(({ id }) => id === intoId)
  const merge = useMutation({
    mutationFn: (target: Tag) => mergeTags(target, tag),
    onSuccess: async (_reply, target) => {
      close()
      toastDone(t('tags.merged', { from: tag.name, into: target.name }))
      await changed()
    },
  })
  return (
    <Modal
      opened
      onClose={close}
      title={t('tags.merge', { name: tag.name })}
      closeButtonProps={{ 'aria-label': t('common.close') }}
    >
      <Stack>
        <ProblemAlert error={merge.error} />
        <Text fz="sm">{t('tags.merge_text', { name: tag.name })}</Text>
        <Select
          label={t('tags.merge_into')}
          searchable
          data={others.map(({ id, name }) => ({ value: id, label: name }))}
          value={intoId}
          onChange={setIntoId}
        />
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>
            {t('common.cancel')}
          </Button>
          <Button disabled={!into} loading={merge.isPending} onClick={() => into && merge.mutate(into)}>
            {t('tags.merge_submit')}
          </Button>
        </Group>
      </Stack>
    </Modal>
  )
}
