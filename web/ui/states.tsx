// What a page shows when it has nothing, or could not get it: never a blank.
import { Button, Center, Stack, Text, ThemeIcon, Title } from '@mantine/core'
import { CloudOff, type LucideIcon } from 'lucide-react'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { explain } from '../api/explain.ts'

type EmptyProps = { icon: LucideIcon; title: string; order?: 1 | 2; children?: ReactNode; action?: ReactNode }

export function Empty({ icon: Icon, title, order = 2, children, action }: EmptyProps) {
  return (
    <Center py={48} px="md">
      <Stack align="center" gap="xs" maw={440} ta="center">
        <ThemeIcon size={52} radius="xl" variant="light" color="pine">
          <Icon size={26} strokeWidth={1.6} aria-hidden />
        </ThemeIcon>
        <Title order={order} fz="md" mt={6}>
          {title}
        </Title>
        {children && (
          <Text c="dimmed" fz="sm">
            {children}
          </Text>
        )}
        {action && <div style={{ marginTop: 8 }}>{action}</div>}
      </Stack>
    </Center>
  )
}

export function Failed({ error, retry }: { error: unknown; retry?: () => void }) {
  const { t } = useTranslation()
  return (
    <Center py={48} px="md" role="alert">
      <Stack align="center" gap="xs" maw={440} ta="center">
        <ThemeIcon size={52} radius="xl" variant="light" color="red">
          <CloudOff size={26} strokeWidth={1.6} aria-hidden />
        </ThemeIcon>
        <Title order={2} fz="md" mt={6}>
          {t('common.failed_title')}
        </Title>
        <Text c="dimmed" fz="sm">
          {explain(error, t)}
        </Text>
        {retry && (
          <Button variant="default" mt={8} onClick={retry}>
            {t('common.retry')}
          </Button>
        )}
      </Stack>
    </Center>
  )
}
