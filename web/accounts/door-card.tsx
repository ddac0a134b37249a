import { Paper, Stack, Text, Title } from '@mantine/core'
import { type ReactNode, useEffect } from 'react'

export function DoorCard({ title, lead, children }: { title: string; lead?: ReactNode; children: ReactNode }) {
  useEffect(() => {
    document.title = `${title} · Rapport`
  }, [title])
  return (
    <Paper className="door-card">
      <Stack gap="md">
        <div>
          <Title order={1} fz={22}>
            {title}
          </Title>
          {lead && (
            <Text c="dimmed" fz="sm" mt={4}>
              {lead}
            </Text>
          )}
        </div>
        {children}
      </Stack>
    </Paper>
  )
}
