// The frame of every page: its title in the tab and on the page, its way back, its actions. Arriving by a link moves the
// focus to the title, so that a screen reader says where one is; the first load leaves the focus to the browser.
import { Anchor, Box, Group, Stack, Text, Title } from '@mantine/core'
import { ChevronLeft } from 'lucide-react'
import { type ReactNode, useEffect, useRef } from 'react'

type PageProps = {
  title: string
  heading?: ReactNode
  lead?: ReactNode
  actions?: ReactNode
  back?: { href: string; label: string }
  width?: 'full' | 'reading'
  children: ReactNode
}

let isFirstPage = true

export function Page({ title, heading, lead, actions, back, width = 'full', children }: PageProps) {
  const headingRef = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    document.title = `${title} · Rapport`
  }, [title])
  useEffect(() => {
    if (!isFirstPage) headingRef.current?.focus({ preventScroll: true })
    isFirstPage = false
  }, [])
  return (
    <Box className="page" data-width={width}>
      {back && (
        <Anchor href={back.href} c="dimmed" fz="sm" className="page-back">
          <ChevronLeft size={16} aria-hidden />
          {back.label}
        </Anchor>
      )}
      <Group justify="space-between" align="flex-start" gap="md" className="page-head">
        <Stack gap={2} miw={0}>
          <Title order={1} ref={headingRef} tabIndex={-1} className="page-title">
            {heading ?? title}
          </Title>
          {lead && (
            <Text c="dimmed" fz="sm" component="div">
              {lead}
            </Text>
          )}
        </Stack>
        {actions && (
          <Group gap="xs" className="page-actions">
            {actions}
          </Group>
        )}
      </Group>
      {children}
    </Box>
  )
}
