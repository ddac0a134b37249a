import { Button, Group, Modal, Stack, Textarea, TextInput } from '@mantine/core'
import { useForm } from '@mantine/form'
import { useTranslation } from 'react-i18next'
import type { ListFields } from '../api/contacts.ts'
import type { List } from '../api/types.ts'
import { needsText } from '../form/checks.ts'
import { ColorChoice, palette } from '../form/choices.tsx'
import { ProblemAlert } from '../form/problem-alert.tsx'
import { useSubmit } from '../form/use-submit.ts'

type ListFormProps = {
  title: string
  list?: List
  close: () => void
  send: (fields: ListFields) => Promise<List>
  done: (list: List) => void | Promise<void>
}

export function ListForm({ title, list, close, send, done }: ListFormProps) {
  const { t } = useTranslation()
  const form = useForm({
    mode: 'controlled',
    initialValues: { name: list?.name ?? '', description: list?.description ?? '', color: list?.color ?? palette[0]! },
    validate: { name: needsText(t), color: (value) => (/^#[0-9a-f]{6}$/i.test(value) ? null : t('form.hex')) },
  })
  const { submit, isSending, error } = useSubmit({
    form,
    send: ({ name, ...others }) => send({ name: name.trim(), ...others }),
    done,
  })
  return (
    <Modal opened onClose={close} title={title} closeButtonProps={{ 'aria-label': t('common.close') }}>
      <form onSubmit={submit} noValidate>
        <Stack>
          <ProblemAlert error={error} />
          <TextInput
            label={t('columns.name')}
            required
            data-autofocus
            maxLength={100}
            {...form.getInputProps('name')}
          />
          <Textarea
            label={t('lists.description')}
            autosize
            minRows={2}
            maxLength={500}
            {...form.getInputProps('description')}
          />
          <ColorChoice value={form.values.color} onChange={(color) => form.setFieldValue('color', color)} />
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>
              {t('common.cancel')}
            </Button>
            <Button type="submit" loading={isSending}>
              {list ? t('common.save') : t('lists.create')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}
