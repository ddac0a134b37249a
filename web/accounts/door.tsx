import { Anchor, Box, Group } from '@mantine/core'
import { Outlet } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { languages, speak } from '../i18n/i18n.ts'
import { Wordmark } from '../ui/logo.tsx'

/** The pages in front of the door: signing in, setting up, invitations. */
export function Door() {
  const { t, i18n } = useTranslation()
  return (
    <Box className="door">
      <header className="door-brand">
        <Wordmark />
      </header>
      <main className="door-main">
        <Outlet />
      </main>
      <Group component="footer" justify="center" gap="md" aria-label={t('shell.language')}>
        {languages.map(({ value, label }) => (
          <Anchor
            key={value}
            component="button"
            type="button"
            fz="sm"
            c={i18n.language === value ? undefined : 'dimmed'}
            fw={i18n.language === value ? 600 : undefined}
            aria-pressed={i18n.language === value}
            lang={value}
            onClick={() => void speak(value)}
          >
            {label}
          </Anchor>
        ))}
      </Group>
    </Box>
  )
}
