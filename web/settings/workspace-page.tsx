import { Button, Group, Select, SimpleGrid, Stack, Textarea, TextInput } from '@mantine/core'
import { useForm } from '@mantine/form'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { sessionQuery } from '../api/session.ts'
import type { Kept, Workspace } from '../api/types.ts'
import { changeWorkspace, workspaceQuery } from '../api/workspace.ts'
import { emptyToNull, isEmail, needsText } from '../form/checks.ts'
import { countries, timezones } from '../form/places.ts'
import { ProblemAlert } from '../form/problem-alert.tsx'
import { useSubmit } from '../form/use-submit.ts'
import { languages } from '../i18n/i18n.ts'
import { Card } from '../ui/card.tsx'
import { Page } from '../ui/page.tsx'
import { Failed } from '../ui/states.tsx'
import { toastDone } from '../ui/toasts.tsx'
import { Waiting } from '../ui/waiting.tsx'

export function WorkspacePage() {
  const { t } = useTranslation()
  const { data, error, refetch } = useQuery(workspaceQuery)
  return (
    <Page title={t('settings.workspace')} width="reading">
      {error ? (
        <Failed error={error} retry={() => void refetch()} />
      ) : (
        <Waiting for={data} lines={8}>
          {data && <WorkspaceForm workspace={data} />}
        </Waiting>
      )}
    </Page>
  )
}

function WorkspaceForm({ workspace }: { workspace: Kept<Workspace> }) {
  const { t, i18n } = useTranslation()
  const queries = useQueryClient()
  const form = useForm({
    mode: 'controlled',
    initialValues: {
      name: workspace.name,
      language: workspace.language as string,
      timezone: workspace.timezone,
      country: workspace.country,
      currency: workspace.currency,
      mail_from: workspace.mail_from ?? '',
      mail_from_name: workspace.mail_from_name ?? '',
      postal_address: workspace.postal_address ?? '',
    },
    validate: {
      name: needsText(t),
      mail_from: (value) => (value.trim() === '' || isEmail(value) ? null : t('form.email')),
      currency: (value) => (/^[A-Z]{3}$/.test(value) ? null : t('workspace.currency_hint')),
    },
  })
  const { submit, isSending, error } = useSubmit({
    form,
    send: (values) => changeWorkspace(workspace, emptyToNull(values) as Partial<Workspace>),
    done: async () => {
      toastDone(t('common.saved'))
      await queries.invalidateQueries({ queryKey: ['workspace'] })
      await queries.invalidateQueries({ queryKey: sessionQuery.queryKey })
    },
  })
  return (
    <form onSubmit={submit} noValidate>
      <Stack gap="lg">
        <ProblemAlert error={error} />
        <Card title={t('workspace.general')}>
          <SimpleGrid cols={{ base: 1, sm: 2 }}>
            <TextInput label={t('columns.name')} required {...form.getInputProps('name')} />
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
            <Select
              label={t('workspace.country')}
              data={countries(i18n.language)}
              searchable
              allowDeselect={false}
              {...form.getInputProps('country')}
            />
            <TextInput
              label={t('workspace.currency')}
              description={t('workspace.currency_hint')}
              maxLength={3}
              {...form.getInputProps('currency')}
              onChange={(event) => form.setFieldValue('currency', event.currentTarget.value.toUpperCase())}
            />
          </SimpleGrid>
        </Card>
        <Card title={t('workspace.sending')}>
          <SimpleGrid cols={{ base: 1, sm: 2 }}>
            <TextInput label={t('workspace.mail_from_name')} {...form.getInputProps('mail_from_name')} />
            <TextInput label={t('workspace.mail_from')} type="email" {...form.getInputProps('mail_from')} />
          </SimpleGrid>
          <Textarea
            mt="md"
            label={t('workspace.postal_address')}
            description={t('workspace.postal_hint')}
            autosize
            minRows={2}
            {...form.getInputProps('postal_address')}
          />
        </Card>
        <Group justify="flex-end">
          <Button type="submit" loading={isSending}>
            {t('common.save')}
          </Button>
        </Group>
      </Stack>
    </form>
  )
}
