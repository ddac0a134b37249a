import { Anchor, Button, Group, PasswordInput, Stack, TextInput } from '@mantine/core'
import { useForm } from '@mantine/form'
import { useQuery } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { ApiProblem } from '../api/client.ts'
import { type Credentials, setupQuery, signIn } from '../api/session.ts'
import type { Kept, Session } from '../api/types.ts'
import { needsEmail, needsText } from '../form/checks.ts'
import { ProblemAlert } from '../form/problem-alert.tsx'
import { useSubmit } from '../form/use-submit.ts'
import { paths } from '../paths.ts'
import { useFollow } from '../shell/link-navigation.ts'
import { useUrlState } from '../table/use-url-state.ts'
import { DoorCard } from './door-card.tsx'
import { useEnter } from './enter.ts'
import { SecondFactorForm } from './second-factor-form.tsx'

export function SignInPage() {
  const [{ next }] = useUrlState()
  const enter = useEnter()
  const follow = useFollow()
  const setup = useQuery(setupQuery)
  const [asked, setAsked] = useState<Credentials | null>(null)
  const setupNeeded = setup.data?.needed === true
  useEffect(() => {
    if (setupNeeded) follow(paths.setup(), 'replace')
  }, [setupNeeded, follow])
  const done = (session: Kept<Session>) => enter(session, next)
  if (asked) return <SecondFactorForm credentials={asked} done={done} back={() => setAsked(null)} />
  return <PasswordForm done={done} askSecondFactor={setAsked} />
}

type PasswordFormProps = { done: (session: Kept<Session>) => void; askSecondFactor: (credentials: Credentials) => void }

function PasswordForm({ done, askSecondFactor }: PasswordFormProps) {
  const { t } = useTranslation()
  const form = useForm({
    mode: 'uncontrolled',
    initialValues: { email: '', password: '' },
    validate: { email: needsEmail(t), password: needsText(t) },
  })
  const { submit, isSending, error } = useSubmit({
    form,
    send: (values) =>
      signIn(values).catch((problem: unknown) => (isSecondFactor(problem) ? null : Promise.reject(problem as Error))),
    done: (session, values) => (session ? done(session) : askSecondFactor(values)),
  })
  return (
    <DoorCard title={t('sign_in.title')} lead={t('sign_in.lead')}>
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
          <PasswordInput
            label={t('form.password_label')}
            autoComplete="current-password"
            required
            visibilityToggleButtonProps={{ 'aria-label': t('form.show_password') }}
            key={form.key('password')}
            {...form.getInputProps('password')}
          />
          <Button type="submit" size="md" loading={isSending}>
            {t('sign_in.submit')}
          </Button>
          <Group justify="center">
            <Anchor href={paths.forgotPassword()} fz="sm">
              {t('sign_in.forgot')}
            </Anchor>
          </Group>
        </Stack>
      </form>
    </DoorCard>
  )
}

const isSecondFactor = (problem: unknown) => problem instanceof ApiProblem && problem.code === 'totp_required'
