import { Button, Group, Modal, Stack, TextInput } from '@mantine/core'
import { useForm } from '@mantine/form'
import { useTranslation } from 'react-i18next'
import { changeTag, createTag, useContactsChanged } from '../api/contacts.ts'
import type { Tag } from '../api/types.ts'
import { needsText } from '../form/checks.ts'
import { ColorChoice, palette } from '../form/choices.tsx'
import { ProblemAlert } from '../form/problem-alert.tsx'
import { useSubmit } from '../form/use-submit.ts'
import { toastDone } from '../ui/toasts.tsx'

export function TagForm({ tag, close }: { tag?: Tag; close: () => void }) {
  const { t } = useTranslation()
  const changed = useContactsChanged()
  const form = useForm({
    mode: 'controlled',
    initialValues: { name: tag?.name ?? '', color: tag?.color ?? palette[0]! },
    validate: { name: needsText(t), color: (value) => (/^#[0-9a-f]{6}$/i.test(value) ? null : t('form.hex')) },
  })
  const { submit, isSending, error } = useSubmit({
    form,
    send: (fields) => (tag ? changeTag(tag, fields) : createTag(fields)),
    done: async (_saved, { name }) => {
      close()
      toastDone(tag ? t('common.saved') : t('tags.created', { name }))
      await changed()
    },
  })
  return (
    <Modal
      opened
      onClose={close}
      title={tag ? t('tags.edit', { name: tag.name }) : t('tags.new')}
      closeButtonProps={{ 'aria-label': t('common.close') }}
    >
      <form onSubmit={submit} noValidate>
        <Stack>
          <ProblemAlert error={error} />
          <TextInput label={t('columns.name')} required data-autofocus maxLength={50} {...form.getInputProps('name')} />
          <ColorChoice value={form.values.color} onChange={(color) => form.setFieldValue('color', color)} />
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>
              {t('common.cancel')}
            </Button>
            <Button type="submit" loading={isSending}>
              {tag ? t('common.save') : t('tags.create')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}
