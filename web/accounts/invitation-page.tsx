import { Alert, Button, PasswordInput, Stack, TextInput } from '@mantine/core'
import { useForm } from '@mantine/form'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { ApiProblem, post } from '../api/client.ts'
import { acceptInvitation } from '../api/session.ts'
import type { Role } from '../api/types.ts'
import { needsPassword, needsText } from '../form/checks.ts'
import { ProblemAlert } from '../form/problem-alert.tsx'
import { useSubmit } from '../form/use-submit.ts'
import { Failed } from '../ui/states.tsx'
import { Waiting } from '../ui/waiting.tsx'
import { DoorCard } from './door-card.tsx'
import { useEnter } from './enter.ts'
import { fragmentToken } from './fragment-token.ts'

type Invited = { email: string; workspace_name: string; role: Role; user_exists: boolean }

export function InvitationPage() {
  const { t } = useTranslation()
  const [token] = useState(fragmentToken)
  const invited = useQuery({
    queryKey: ['invitation', token],
    queryFn: () => post<Invited>('/invitations/inspect', { token }, { quiet: true }),
    enabled: token !== null,
    retry: false,
  })
  if (!token)
    return <DoorCard title={t('invitation.title')}>{<Alert color="red">{t('invitation.no_token')}</Alert>}</DoorCard>
  if (invited.error) return <Failed error={invited.error} />
  return (
    <Waiting for={invited.data} lines={5}>
      {invited.data && <AcceptForm token={token} invited={invited.data} />}
    </Waiting>
  )
}

/** Somebody new names themselves and chooses a password; who has an account proves it, unless signed in here already. */
function AcceptForm({ token, invited }: { token: string; invited: Invited }) {
  const { t } = useTranslation()
  const enter = useEnter()
  const isNew = !invited.user_exists
  const form = useForm({
    mode: 'controlled',
    initialValues: { full_name: '', password: '', totp: '' },
    validate: isNew ? { full_name: needsText(t), password: needsPassword(t) } : {},
  })
  const [needsCode, setNeedsCode] = useState(false)
  const { submit, isSending, error } = useSubmit({
    form,
    send: async (values) => {
      try {
        return await acceptInvitation({ token, ...given(values) })
      } catch (problem) {
        if (problem instanceof ApiProblem && problem.code === 'totp_required') setNeedsCode(true)
        throw problem
      }
    },
    done: (session) => enter(session),
  })
  return (
    <DoorCard
      title={t('invitation.welcome', { workspace: invited.workspace_name })}
      lead={t('invitation.lead', { email: invited.email, role: t(`role.${invited.role}`) })}
    >
      <form onSubmit={submit} noValidate>
        <Stack>
          <ProblemAlert error={error} />
          {isNew && (
            <TextInput label={t('setup.full_name')} autoComplete="name" required {...form.getInputProps('full_name')} />
          )}
          <PasswordInput
            label={t('form.password_label')}
            description={t(isNew ? 'form.password_hint' : 'invitation.password_hint')}
            autoComplete={isNew ? 'new-password' : 'current-password'}
            required={isNew}
            visibilityToggleButtonProps={{ 'aria-label': t('form.show_password') }}
            {...form.getInputProps('password')}
          />
          {needsCode && (
            <TextInput
              label={t('two_factor.code_or_recovery')}
              autoComplete="one-time-code"
              {...form.getInputProps('totp')}
            />
          )}
          <Button type="submit" size="md" loading={isSending}>
            {t('invitation.submit')}
          </Button>
        </Stack>
      </form>
    </DoorCard>
  )
}

/** Only what has been filled in; an empty field says nothing. */
function given<T extends Record<string, string>>(values: T): Partial<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value.trim() !== '')) as Partial<T>
}
