import { Alert, Anchor, Button, Stack, TextInput } from '@mantine/core'
import { useForm } from '@mantine/form'
import { MailCheck } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { post } from '../api/client.ts'
import { needsEmail } from '../form/checks.ts'
import { ProblemAlert } from '../form/problem-alert.tsx'
import { useSubmit } from '../form/use-submit.ts'
import { paths } from '../paths.ts'
import { DoorCard } from './door-card.tsx'

/** The answer is the same whether the address is known or not. */
export function ForgotPasswordPage() {
  const { t } = useTranslation()
  const [isAsked, setAsked] = useState(false)
  const form = useForm({ mode: 'uncontrolled', initialValues: { email: '' }, validate: { email: needsEmail(t) } })
  const { submit, isSending, error } = useSubmit({
    form,
    send: (values) => post('/password-resets', values),
    done: () => setAsked(true),
  })
  return (
    <DoorCard title={t('forgot.title')} lead={t('forgot.lead')}>
      {isAsked ? (
        <Alert icon={<MailCheck size={18} aria-hidden />} role="status">
          {t('forgot.asked')}
        </Alert>
      ) : (
        <form onSubmit={submit} noValidate>
          <Stack>
            <ProblemAlert error={error} />
            <TextInput
              label={t('form.email_label')}
              type="email"
              autoComplete="username"
              required
              key={form.key('email')}
              {...form.getInputProps('email')}
            />
            <Button type="submit" size="md" loading={isSending}>
              {t('forgot.submit')}
            </Button>
          </Stack>
        </form>
      )}
      <Anchor href={paths.signIn()} fz="sm" ta="center">
        {t('forgot.back')}
      </Anchor>
    </DoorCard>
  )
}
