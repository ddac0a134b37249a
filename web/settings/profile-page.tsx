import {
  Button,
  Group,
  type MantineColorScheme,
  SegmentedControl,
  Select,
  Stack,
  Text,
  TextInput,
  useMantineColorScheme,
} from '@mantine/core'
import { useForm } from '@mantine/form'
import { useTranslation } from 'react-i18next'
import { useProfileChange, useSession } from '../api/session.ts'
import type { Language } from '../api/types.ts'
import { needsText } from '../form/checks.ts'
import { ownTimezone, timezones } from '../form/places.ts'
import { ProblemAlert } from '../form/problem-alert.tsx'
import { useSubmit } from '../form/use-submit.ts'
import { languages, speak } from '../i18n/i18n.ts'
import { Card } from '../ui/card.tsx'
import { Page } from '../ui/page.tsx'
import { toastDone } from '../ui/toasts.tsx'

export function ProfilePage() {
  const { t } = useTranslation()
  const { user } = useSession()
  const profile = useProfileChange()
  const { colorScheme, setColorScheme } = useMantineColorScheme()
  const form = useForm({
    mode: 'controlled',
    initialValues: {
      full_name: user.full_name,
      language: user.language as string,
      timezone: user.timezone ?? ownTimezone(),
    },
    validate: { full_name: needsText(t) },
  })
  const { submit, isSending, error } = useSubmit({
    form,
    send: (values) => profile.mutateAsync(values),
    done: async (_reply, values) => {
      await speak(values.language as Language)
      toastDone(t('common.saved'))
    },
  })
  const chooseTheme = (theme: string) => {
    setColorScheme(theme as MantineColorScheme)
    profile.mutate({ theme })
  }
  return (
    <Page title={t('settings.profile')} width="reading">
      <Stack gap="lg">
        <Card title={t('profile.you')}>
          <form onSubmit={submit} noValidate>
            <Stack>
              <ProblemAlert error={error} />
              <TextInput label={t('form.email_label')} value={user.email ?? ''} readOnly />
              <TextInput
                label={t('setup.full_name')}
                required
                autoComplete="name"
                {...form.getInputProps('full_name')}
              />
              <Select
                label={t('form.language')}
                data={languages}
                allowDeselect={false}
                {...form.getInputProps('language')}
              />
              <Select
                label={t('form.timezone')}
                data={timezones()}
                searchable
                allowDeselect={false}
                {...form.getInputProps('timezone')}
              />
              <Group justify="flex-end">
                <Button type="submit" loading={isSending}>
                  {t('common.save')}
                </Button>
              </Group>
            </Stack>
          </form>
        </Card>
        <Card title={t('profile.look')}>
          <Text fz="sm" fw={500} mb={6} id="theme-label">
            {t('shell.theme')}
          </Text>
          <SegmentedControl
            aria-labelledby="theme-label"
            data={(['light', 'dark', 'auto'] as const).map((value) => ({ value, label: t(`theme.${value}`) }))}
            value={colorScheme}
            onChange={chooseTheme}
          />
        </Card>
      </Stack>
    </Page>
  )
}
