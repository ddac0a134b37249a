import { Alert, Button } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { MailCheck } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { post } from '../api/client.ts'
import { ProblemAlert } from '../form/problem-alert.tsx'
import { DoorCard } from './door-card.tsx'
import { fragmentToken } from './fragment-token.ts'

/** Confirms a subscription by a press of a button, never by opening the link: mail scanners open every link. */
export function ConfirmPage() {
  const { t } = useTranslation()
  const [token] = useState(fragmentToken)
  const { mutate, isPending, isSuccess, error } = useMutation({
    mutationFn: () => post('/public/confirm', { token }, { quiet: true }),
  })
  return (
    <DoorCard title={t('confirm.title')} lead={isSuccess ? undefined : t('confirm.lead')}>
      {isSuccess && (
        <Alert icon={<MailCheck size={18} aria-hidden />} role="status">
          {t('confirm.done')}
        </Alert>
      )}
      <ProblemAlert error={error} />
      {!token && <Alert color="red">{t('confirm.no_token')}</Alert>}
      {token && !isSuccess && (
        <Button size="md" loading={isPending} onClick={() => mutate()}>
          {t('confirm.submit')}
        </Button>
      )}
    </DoorCard>
  )
}
