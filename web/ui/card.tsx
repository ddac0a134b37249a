import { Group, Paper, Title } from '@mantine/core'
import type { ReactNode } from 'react'

type CardProps = { title?: ReactNode; aside?: ReactNode; children: ReactNode; flush?: boolean; id?: string }

/** A plain surface with a title; `flush` lets a table reach its edges. */
export function Card({ title, aside, children, flush = false, id }: CardProps) {
  return (
    <Paper component="section" className="card" data-flush={flush || undefined} id={id}>
      {title && (
        <Group justify="space-between" className="card-head" wrap="nowrap">
          <Title order={2}>{title}</Title>
          {aside}
        </Group>
      )}
      <div className="card-body">{children}</div>
    </Paper>
  )
}
