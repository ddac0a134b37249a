import { Alert, Button, Group, Modal, Select, Stack, Text, TextInput } from '@mantine/core'
import { DatePickerInput } from '@mantine/dates'
import { useForm } from '@mantine/form'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { KeyRound, Plus } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { explain } from '../api/explain.ts'
import type { ApiKey } from '../api/types.ts'
import { apiKeysQuery, createApiKey, revokeApiKey } from '../api/workspace.ts'
import { needsText } from '../form/checks.ts'
import { ProblemAlert } from '../form/problem-alert.tsx'
import { useSubmit } from '../form/use-submit.ts'
import { Card } from '../ui/card.tsx'
import { confirm } from '../ui/confirm.tsx'
import { CopyField } from '../ui/copy-field.tsx'
import { Page } from '../ui/page.tsx'
import { Empty, Failed } from '../ui/states.tsx'
import { Moment } from '../ui/time.tsx'
import { toastDone, toastProblem } from '../ui/toasts.tsx'
import { Waiting } from '../ui/waiting.tsx'

export function ApiKeysPage() {
  const { t } = useTranslation()
  const keys = useQuery(apiKeysQuery)
  const [isMaking, setMaking] = useState(false)
  const newButton = (
    <Button leftSection={<Plus size={16} aria-hidden />} onClick={() => setMaking(true)}>
      {t('api_keys.new')}
    </Button>
  )
  return (
    <Page title={t('settings.api_keys')} lead={t('api_keys.lead')} width="reading" actions={newButton}>
      <Card>
        {keys.error ? (
          <Failed error={keys.error} retry={() => void keys.refetch()} />
        ) : (
          <Waiting for={keys.data} lines={3}>
            {keys.data?.length === 0 && (
              <Empty icon={KeyRound} title={t('api_keys.empty')}>
                {t('api_keys.empty_text')}
              </Empty>
            )}
            <ul className="rows">
              {keys.data?.map((key) => (
                <KeyRow key={key.id} apiKey={key} />
              ))}
            </ul>
          </Waiting>
        )}
      </Card>
      {isMaking && <NewKey close={() => setMaking(false)} />}
    </Page>
  )
}

function KeyRow({ apiKey }: { apiKey: ApiKey }) {
  const { t } = useTranslation()
  const queries = useQueryClient()
  const revoke = useMutation({
    mutationFn: () => revokeApiKey(apiKey.id),
    onSuccess: async () => {
      toastDone(t('api_keys.revoked'))
      await queries.invalidateQueries({ queryKey: ['api-keys'] })
    },
    onError: (error) => toastProblem(explain(error, t)),
  })
  const ask = () =>
    confirm({
      title: t('api_keys.revoke_title', { name: apiKey.name }),
      body: t('api_keys.revoke_text'),
      confirm: t('api_keys.revoke'),
      cancel: t('common.cancel'),
      danger: true,
      run: () => revoke.mutate(),
    })
  return (
    <li>
      <div>
        <Text fz="sm" fw={600}>
          {apiKey.name}
        </Text>
        <Text fz="xs" c="dimmed">
          {`rk_…${apiKey.ending} · `}
          {t(`role.${apiKey.role}`)} · {t('columns.created')} <Moment at={apiKey.created_at} /> · {t('api_keys.used')}{' '}
          <Moment at={apiKey.last_used_at} />
          {apiKey.expires_at && (
            <>
              {' · '}
              {t('members.expires')} <Moment at={apiKey.expires_at} />
            </>
          )}
        </Text>
      </div>
      <Button
        size="xs"
        variant="default"
        loading={revoke.isPending}
        onClick={ask}
        aria-label={t('api_keys.revoke_title', { name: apiKey.name })}
      >
        {t('api_keys.revoke')}
      </Button>
    </li>
  )
}

/** The key is shown once, in the same dialog that made it; the server keeps only its hash. */
function NewKey({ close }: { close: () => void }) {
  const { t } = useTranslation()
  const queries = useQueryClient()
  const [now] = useState(() => new Date())
  const [made, setMade] = useState<string | null>(null)
  const form = useForm({
    mode: 'controlled',
    initialValues: { name: '', role: 'viewer', expires_at: null as string | null },
    validate: { name: needsText(t) },
  })
  const { submit, isSending, error } = useSubmit({
    form,
    send: ({ name, role, expires_at }) =>
      createApiKey({
        name: name.trim(),
        role,
        ...(expires_at ? { expires_at: new Date(expires_at).toISOString() } : {}),
      }),
    done: async (key) => {
      setMade(key.key ?? '')
      await queries.invalidateQueries({ queryKey: ['api-keys'] })
    },
  })
  return (
    <Modal
      opened
      onClose={close}
      title={t('api_keys.new')}
      closeOnClickOutside={made === null}
      closeButtonProps={{ 'aria-label': t('common.close') }}
    >
      {made === null ? (
        <form onSubmit={submit} noValidate>
          <Stack>
            <ProblemAlert error={error} />
            <TextInput
              label={t('columns.name')}
              description={t('api_keys.name_hint')}
              required
              data-autofocus
              {...form.getInputProps('name')}
            />
            <Select
              label={t('members.role')}
              allowDeselect={false}
              data={(['admin', 'marketer', 'agent', 'viewer'] as const).map((value) => ({
                value,
                label: t(`role.${value}`),
              }))}
              {...form.getInputProps('role')}
            />
            <DatePickerInput
              label={t('api_keys.expires')}
              placeholder={t('api_keys.never')}
              clearable
              minDate={now}
              valueFormat="DD MMM YYYY"
              {...form.getInputProps('expires_at')}
            />
            <Group justify="flex-end">
              <Button variant="default" onClick={close}>
                {t('common.cancel')}
              </Button>
              <Button type="submit" loading={isSending}>
                {t('api_keys.create')}
              </Button>
            </Group>
          </Stack>
        </form>
      ) : (
        <Stack>
          <Alert color="orange" role="status">
            {t('api_keys.once')}
          </Alert>
          <CopyField label={t('api_keys.key')} value={made} copy={t('common.copy')} copied={t('common.copied')} />
          <Group justify="flex-end">
            <Button onClick={close}>{t('api_keys.kept')}</Button>
          </Group>
        </Stack>
      )}
    </Modal>
  )
}
