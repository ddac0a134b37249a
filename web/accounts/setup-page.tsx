import { Alert, Button, PasswordInput, Select, Stack, TextInput } from '@mantine/core'
import { useForm } from '@mantine/form'
import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { setUp, setupQuery } from '../api/session.ts'
import type { Language } from '../api/types.ts'
import { needsEmail, needsPassword, needsText } from '../form/checks.ts'
import { ownTimezone, timezones } from '../form/places.ts'
import { ProblemAlert } from '../form/problem-alert.tsx'
import { useSubmit } from '../form/use-submit.ts'
import { languages, preferredLanguage, speak } from '../i18n/i18n.ts'
import { paths } from '../paths.ts'
import { DoorCard } from './door-card.tsx'
import { useEnter } from './enter.ts'

/** The first visit of a new installation: makes the owner and the workspace. */
export function SetupPage() {
  const { t } = useTranslation()
  const enter = useEnter()
  const setup = useQuery(setupQuery)
  const form = useForm({
    mode: 'controlled',
    initialValues: {
      workspace_name: '',
      full_name: '',
      email: '',
      password: '',
      language: preferredLanguage() as string,
      timezone: ownTimezone(),
    },
    validate: {
      workspace_name: needsText(t),
      full_name: needsText(t),
      email: needsEmail(t),
      password: needsPassword(t),
    },
  })
  const { submit, isSending, error } = useSubmit({ form, send: setUp, done: (session) => enter(session) })
  if (setup.data && !setup.data.needed) {
    return (
      <DoorCard title={t('setup.closed_title')} lead={t('setup.closed_text')}>
        <Button component="a" href={paths.signIn()}>
          {t('sign_in.title')}
        </Button>
      </DoorCard>
    )
  }
  return (
    <DoorCard title={t('setup.title')} lead={t('setup.lead')}>
      <form onSubmit={submit} noValidate>
        <Stack>
          <ProblemAlert error={error} />
          <TextInput
            label={t('setup.workspace_name')}
            placeholder="Le Vieux Moulin"
            autoComplete="organization"
            required
            {...form.getInputProps('workspace_name')}
          />
          <TextInput label={t('setup.full_name')} autoComplete="name" required {...form.getInputProps('full_name')} />
          <TextInput
            label={t('form.email_label')}
            type="email"
            autoComplete="email"
            required
            {...form.getInputProps('email')}
          />
          <PasswordInput
            label={t('form.password_label')}
            description={t('form.password_hint')}
            autoComplete="new-password"
            required
            visibilityToggleButtonProps={{ 'aria-label': t('form.show_password') }}
            {...form.getInputProps('password')}
          />
          <Select
            label={t('form.language')}
            data={languages}
            allowDeselect={false}
            {...form.getInputProps('language')}
            onChange={(language) => {
              form.setFieldValue('language', language ?? 'en')
              void speak((language ?? 'en') as Language)
            }}
          />
          <Select
            label={t('form.timezone')}
            data={timezones()}
            searchable
            allowDeselect={false}
            {...form.getInputProps('timezone')}
          />
          <Button type="submit" size="md" loading={isSending}>
            {t('setup.submit')}
          </Button>
          <Alert variant="light" color="gray">
            {t('setup.sandbox_hint')}
          </Alert>
        </Stack>
      </form>
    </DoorCard>
  )
}
