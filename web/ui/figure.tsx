import { Paper, Text } from '@mantine/core'
import type { ReactNode } from 'react'

type FigureProps = { label: string; value: ReactNode; note?: ReactNode; href?: string; active?: boolean }

/** One number with its name; with `href` the whole tile is a link. */
export function Figure({ label, value, note, href, active }: FigureProps) {
  const content = (
    <>
      <Text fz="sm" c="dimmed">
        {label}
      </Text>
      <Text fz={26} fw={650} lh={1.2} className="figure-value">
        {value}
      </Text>
      {note && (
        <Text fz="xs" c="dimmed">
          {note}
        </Text>
      )}
    </>
  )
  if (!href) return <Paper className="figure">{content}</Paper>
  return (
    <Paper
      component="a"
      href={href}
      className="figure"
      data-active={active || undefined}
      aria-current={active ? 'true' : undefined}
    >
      {content}
    </Paper>
  )
}
