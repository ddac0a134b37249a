import { Anchor, Button, PinInput, Stack, Text, TextInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { type Credentials, signIn } from '../api/session.ts'
import type { Kept, Session } from '../api/types.ts'
import { ProblemAlert } from '../form/problem-alert.tsx'
import { DoorCard } from './door-card.tsx'

type SecondFactorFormProps = { credentials: Credentials; done: (session: Kept<Session>) => void; back: () => void }

/** Six digits from the app send themselves; a recovery code serves where the phone is lost. */
export function SecondFactorForm({ credentials, done, back }: SecondFactorFormProps) {
  const { t } = useTranslation()
  const [code, setCode] = useState('')
  const [withRecovery, setWithRecovery] = useState(false)
  const { mutate, isPending, error } = useMutation({
    mutationFn: (totp: string) => signIn({ ...credentials, totp }),
    onSuccess: done,
    onError: () => setCode(''),
  })
  return (
    <DoorCard
      title={t('second_factor.title')}
      lead={withRecovery ? t('second_factor.recovery_lead') : t('second_factor.lead')}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault()
          mutate(code.trim())
        }}
      >
        <Stack>
          <ProblemAlert error={error} />
          {withRecovery ? (
            <TextInput
              label={t('second_factor.recovery_code')}
              value={code}
              onChange={(event) => setCode(event.currentTarget.value)}
              autoComplete="off"
              data-autofocus
            />
          ) : (
            <div role="group" aria-labelledby="totp-label">
              <Text id="totp-label" fz="sm" fw={500} mb={4}>
                {t('second_factor.code')}
              </Text>
              <PinInput
                length={6}
                type="number"
                oneTimeCode
                autoFocus
                value={code}
                onChange={setCode}
                onComplete={(value) => mutate(value)}
                aria-label={t('second_factor.digit')}
              />
            </div>
          )}
          <Button type="submit" size="md" loading={isPending} disabled={code.trim().length < 6}>
            {t('sign_in.submit')}
          </Button>
          <Anchor component="button" type="button" fz="sm" onClick={() => setWithRecovery(!withRecovery)}>
            {withRecovery ? t('second_factor.use_app') : t('second_factor.use_recovery')}
          </Anchor>
          <Anchor component="button" type="button" fz="sm" onClick={back}>
            {t('second_factor.back')}
          </Anchor>
        </Stack>
      </form>
    </DoorCard>
  )
}
