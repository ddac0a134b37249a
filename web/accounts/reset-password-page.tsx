import { Alert, Button, PasswordInput, Stack } from '@mantine/core'
import { useForm } from '@mantine/form'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { post } from '../api/client.ts'
import { needsPassword } from '../form/checks.ts'
import { ProblemAlert } from '../form/problem-alert.tsx'
import { useSubmit } from '../form/use-submit.ts'
import { paths } from '../paths.ts'
import { toastDone } from '../ui/toasts.tsx'
import { useFollow } from '../shell/link-navigation.ts'
import { DoorCard } from './door-card.tsx'
import { fragmentToken } from './fragment-token.ts'

export function ResetPasswordPage() {
  const { t } = useTranslation()
  const follow = useFollow()
  const [token] = useState(fragmentToken)
  const form = useForm({
    mode: 'uncontrolled',
    initialValues: { new_password: '' },
    validate: { new_password: needsPassword(t) },
  })
  const { submit, isSending, error } = useSubmit({
    form,
    send: (values) => post('/password-resets/confirm', { token, ...values }, { quiet: true }),
    done: () => {
      toastDone(t('reset.done'))
      follow(paths.signIn(), 'replace')
    },
  })
  if (!token) {
    return (
      <DoorCard title={t('reset.title')}>
        <Alert color="red">{t('reset.no_token')}</Alert>
        <Button component="a" href={paths.forgotPassword()}>
          {t('reset.ask_again')}
        </Button>
      </DoorCard>
    )
  }
  return (
    <DoorCard title={t('reset.title')} lead={t('reset.lead')}>
      <form onSubmit={submit} noValidate>
        <Stack>
          <ProblemAlert error={error} />
          <PasswordInput
            label={t('form.new_password')}
            description={t('form.password_hint')}
            autoComplete="new-password"
            required
            visibilityToggleButtonProps={{ 'aria-label': t('form.show_password') }}
            key={form.key('new_password')}
            {...form.getInputProps('new_password')}
          />
          <Button type="submit" size="md" loading={isSending}>
            {t('reset.submit')}
          </Button>
        </Stack>
      </form>
    </DoorCard>
  )
}
