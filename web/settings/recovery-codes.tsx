import { Alert, Button, CopyButton, Group, Stack } from '@mantine/core'
import { useTranslation } from 'react-i18next'

export function RecoveryCodes({ codes, done }: { codes: string[]; done: () => void }) {
  const { t } = useTranslation()
  return (
    <Stack>
      <Alert color="orange" role="status">
        {t('two_factor.recovery_lead')}
      </Alert>
      <ul className="codes" aria-label={t('two_factor.recovery')}>
        {codes.map((code) => (
          <li key={code}>{code}</li>
        ))}
      </ul>
      <Group>
        <CopyButton value={codes.join('\n')}>
          {({ copied, copy }) => (
            <Button variant="default" onClick={copy}>
              {copied ? t('common.copied') : t('common.copy')}
            </Button>
          )}
        </CopyButton>
        <Button
          component="a"
          variant="default"
          download="rapport-recovery-codes.txt"
          href={`data:text/plain,${encodeURIComponent(codes.join('\n'))}`}
        >
          {t('common.download')}
        </Button>
        <Button onClick={done}>{t('two_factor.kept')}</Button>
      </Group>
    </Stack>
  )
}
