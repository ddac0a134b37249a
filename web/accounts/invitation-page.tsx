import { Alert, Button, PasswordInput, Stack, TextInput } from '@mantine/core'
import { useForm } from '@mantine/form'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { post } from '../api/client.ts'
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

function AcceptForm({ token, invited }: { token: string; invited: Invited }) {
  const { t } = useTranslation()
  const enter = useEnter()
  const isNew = !invited.user_exists
  const form = useForm({
    mode: 'uncontrolled',
    initialValues: { full_name: '', password: '' },
    validate: isNew ? { full_name: needsText(t), password: needsPassword(t) } : {},
  })
  const { submit, isSending, error } = useSubmit({
    form,
    send: (values) => acceptInvitation(isNew ? { token, ...values } : { token }),
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
            <>
              <TextInput
                label={t('setup.full_name')}
                autoComplete="name"
                required
                key={form.key('full_name')}
                {...form.getInputProps('full_name')}
              />
              <PasswordInput
                label={t('form.password_label')}
                description={t('form.password_hint')}
                autoComplete="new-password"
                required
                visibilityToggleButtonProps={{ 'aria-label': t('form.show_password') }}
                key={form.key('password')}
                {...form.getInputProps('password')}
              />
            </>
          )}
          <Button type="submit" size="md" loading={isSending}>
            {t('invitation.submit')}
          </Button>
        </Stack>
      </form>
    </DoorCard>
  )
}
