import { Button, Group, PasswordInput, Stack } from '@mantine/core'
import { useForm } from '@mantine/form'
import { useQueryClient } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { post } from '../api/client.ts'
import { sessionQuery, useSession } from '../api/session.ts'
import { needsPassword, needsText } from '../form/checks.ts'
import { ProblemAlert } from '../form/problem-alert.tsx'
import { useSubmit } from '../form/use-submit.ts'
import { Card } from '../ui/card.tsx'
import { toastDone } from '../ui/toasts.tsx'

export function PasswordCard() {
  const { t } = useTranslation()
  const { user } = useSession()
  const queries = useQueryClient()
  const form = useForm({
    mode: 'controlled',
    initialValues: { current_password: '', new_password: '' },
    validate: { current_password: needsText(t), new_password: needsPassword(t) },
  })
  const { submit, isSending, error } = useSubmit({
    form,
    send: (values) => post('/me/password', values, { quiet: true }),
    done: async () => {
      form.reset()
      toastDone(t('security.password_changed'))
      await queries.invalidateQueries({ queryKey: ['sessions'] })
      await queries.invalidateQueries({ queryKey: sessionQuery.queryKey })
    },
  })
  const toggle = { visibilityToggleButtonProps: { 'aria-label': t('form.show_password') } }
  return (
    <Card title={t('form.password_label')}>
      <form onSubmit={submit} noValidate>
        <Stack>
          <ProblemAlert error={error} />
          <input type="text" name="username" autoComplete="username" value={user.email ?? ''} readOnly hidden />
          <PasswordInput
            label={t('security.current_password')}
            autoComplete="current-password"
            required
            {...toggle}
            {...form.getInputProps('current_password')}
          />
          <PasswordInput
            label={t('form.new_password')}
            description={t('form.password_hint')}
            autoComplete="new-password"
            required
            {...toggle}
            {...form.getInputProps('new_password')}
          />
          <Group justify="flex-end">
            <Button type="submit" loading={isSending}>
              {t('security.change_password')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Card>
  )
}
