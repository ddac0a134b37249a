import { Button, Group, Select, Stack, Textarea } from '@mantine/core'
import { DateTimePicker } from '@mantine/dates'
import { useForm } from '@mantine/form'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { post } from '../api/client.ts'
import { useContactsChanged } from '../api/contacts.ts'
import { needsText } from '../form/checks.ts'
import { ProblemAlert } from '../form/problem-alert.tsx'
import { useSubmit } from '../form/use-submit.ts'
import { toastDone } from '../ui/toasts.tsx'
import { typeLabel } from './timeline-item.tsx'

const byHand = ['manual_entry', 'email_sent', 'booking_created', 'booking_completed', 'booking_cancelled'] as const

/** Writes down by hand what happened outside Rapport: a call, a visit, a meeting. */
export function AddInteraction({ contactId, close }: { contactId: string; close: () => void }) {
  const { t } = useTranslation()
  const changed = useContactsChanged()
  const [now] = useState(() => new Date())
  const form = useForm({
    mode: 'controlled',
    initialValues: { interaction_type: 'manual_entry' as string, description: '', occurred_at: null as string | null },
    validate: { description: needsText(t) },
  })
  const { submit, isSending, error } = useSubmit({
    form,
    send: ({ occurred_at, ...entry }) =>
      post(`/contacts/${contactId}/interactions/add`, {
        ...entry,
        ...(occurred_at ? { occurred_at: new Date(occurred_at).toISOString() } : {}),
      }),
    done: async () => {
      close()
      toastDone(t('timeline.added'))
      await changed()
    },
  })
  return (
    <form onSubmit={submit} noValidate className="inline-form">
      <Stack gap="sm">
        <ProblemAlert error={error} />
        <Group grow align="flex-start">
          <Select
            label={t('timeline.type')}
            allowDeselect={false}
            data={byHand.map((value) => ({ value, label: typeLabel(value, t) }))}
            {...form.getInputProps('interaction_type')}
          />
          <DateTimePicker
            label={t('timeline.when')}
            placeholder={t('timeline.now')}
            clearable
            maxDate={now}
            valueFormat="DD MMM YYYY HH:mm"
            {...form.getInputProps('occurred_at')}
          />
        </Group>
        <Textarea
          label={t('timeline.description')}
          required
          autosize
          minRows={2}
          autoFocus
          {...form.getInputProps('description')}
        />
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={close}>
            {t('common.cancel')}
          </Button>
          <Button type="submit" loading={isSending}>
            {t('timeline.add')}
          </Button>
        </Group>
      </Stack>
    </form>
  )
}
