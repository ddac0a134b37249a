import { Badge, Button, Group, PasswordInput, Stack, Text, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { post } from '../api/client.ts'
import { sessionQuery, useSession } from '../api/session.ts'
import { ProblemAlert } from '../form/problem-alert.tsx'
import { Card } from '../ui/card.tsx'
import { CopyField } from '../ui/copy-field.tsx'
import { toastDone } from '../ui/toasts.tsx'
import { QrCode } from './qr-code.tsx'
import { RecoveryCodes } from './recovery-codes.tsx'

type Enrolment = { secret: string; otpauth_url: string }

/** The second factor: off, being set up, its recovery codes shown once, or on. */
export function TwoFactorCard() {
  const { t } = useTranslation()
  const { user } = useSession()
  const queries = useQueryClient()
  const [codes, setCodes] = useState<string[] | null>(null)
  const begin = useMutation({ mutationFn: () => post<Enrolment>('/me/two-factor') })
  const refresh = () => queries.invalidateQueries({ queryKey: sessionQuery.queryKey })
  const isOn = user.two_factor_enabled
  return (
    <Card
      title={t('two_factor.title')}
      aside={
        <Badge color={isOn ? 'pine' : 'gray'} className="badge">
          {isOn ? t('two_factor.on') : t('two_factor.off')}
        </Badge>
      }
    >
      <Stack>
        <Text fz="sm" c="dimmed">
          {t('two_factor.lead')}
        </Text>
        <ProblemAlert error={begin.error} />
        {codes && <RecoveryCodes codes={codes} done={() => setCodes(null)} />}
        {!codes && isOn && <Disable done={refresh} />}
        {!codes && !isOn && !begin.data && (
          <Group>
            <Button loading={begin.isPending} onClick={() => begin.mutate()}>
              {t('two_factor.begin')}
            </Button>
          </Group>
        )}
        {!codes && !isOn && begin.data && (
          <Enrol
            enrolment={begin.data}
            done={async (recovery) => {
              setCodes(recovery)
              begin.reset()
              await refresh()
            }}
          />
        )}
      </Stack>
    </Card>
  )
}

function Enrol({ enrolment, done }: { enrolment: Enrolment; done: (codes: string[]) => void | Promise<void> }) {
  const { t } = useTranslation()
  const [code, setCode] = useState('')
  const check = useMutation({
    mutationFn: () =>
      post<{ recovery_codes: string[] }>('/me/two-factor/confirm', { code: code.trim() }, { quiet: true }),
    onSuccess: ({ recovery_codes }) => done(recovery_codes),
  })
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        check.mutate()
      }}
    >
      <Group align="flex-start" gap="lg">
        <QrCode text={enrolment.otpauth_url} label={t('two_factor.qr')} />
        <Stack flex={1} miw={240}>
          <Text fz="sm">{t('two_factor.scan')}</Text>
          <CopyField
            label={t('two_factor.secret')}
            value={enrolment.secret}
            copy={t('common.copy')}
            copied={t('common.copied')}
          />
          <ProblemAlert error={check.error} />
          <TextInput
            label={t('second_factor.code')}
            inputMode="numeric"
            autoComplete="one-time-code"
            maxLength={6}
            value={code}
            onChange={(event) => setCode(event.currentTarget.value)}
          />
          <Group>
            <Button type="submit" disabled={code.trim().length !== 6} loading={check.isPending}>
              {t('two_factor.confirm')}
            </Button>
          </Group>
        </Stack>
      </Group>
    </form>
  )
}

function Disable({ done }: { done: () => Promise<void> }) {
  const { t } = useTranslation()
  const [isAsking, setAsking] = useState(false)
  const [password, setPassword] = useState('')
  const [code, setCode] = useState('')
  const disable = useMutation({
    mutationFn: () => post('/me/two-factor/disable', { password, code: code.trim() }, { quiet: true }),
    onSuccess: async () => {
      toastDone(t('two_factor.disabled'))
      await done()
    },
  })
  if (!isAsking) {
    return (
      <Group>
        <Button variant="default" onClick={() => setAsking(true)}>
          {t('two_factor.disable')}
        </Button>
      </Group>
    )
  }
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        disable.mutate()
      }}
    >
      <Stack maw={360}>
        <ProblemAlert error={disable.error} />
        <PasswordInput
          label={t('form.password_label')}
          autoComplete="current-password"
          visibilityToggleButtonProps={{ 'aria-label': t('form.show_password') }}
          value={password}
          onChange={(event) => setPassword(event.currentTarget.value)}
        />
        <TextInput
          label={t('two_factor.code_or_recovery')}
          autoComplete="one-time-code"
          value={code}
          onChange={(event) => setCode(event.currentTarget.value)}
        />
        <Group>
          <Button variant="default" onClick={() => setAsking(false)}>
            {t('common.cancel')}
          </Button>
          <Button type="submit" color="red" disabled={!password || code.trim().length < 6} loading={disable.isPending}>
            {t('two_factor.disable')}
          </Button>
        </Group>
      </Stack>
    </form>
  )
}
