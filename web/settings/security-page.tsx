import { Stack } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { Page } from '../ui/page.tsx'
import { PasswordCard } from './password-card.tsx'
import { SessionsCard } from './sessions-card.tsx'
import { TwoFactorCard } from './two-factor-card.tsx'

export function SecurityPage() {
  const { t } = useTranslation()
  return (
    <Page title={t('settings.security')} width="reading">
      <Stack gap="lg">
        <PasswordCard />
        <TwoFactorCard />
        <SessionsCard />
      </Stack>
    </Page>
  )
}
