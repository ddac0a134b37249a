import { Skeleton, Stack } from '@mantine/core'
import type { ReactNode } from 'react'

type WaitingProps = { for: unknown; lines?: number; children: ReactNode }

/** Holds the place of what is still loading, so that nothing jumps when it arrives. */
export function Waiting({ for: value, lines, children }: WaitingProps) {
  if (value !== undefined) return <>{children}</>
  if (!lines) return <Skeleton component="span" display="inline-block" width={72} height="0.8em" radius="sm" />
  return (
    <Stack gap="sm" aria-busy>
      {Array.from({ length: lines }, (_, line) => (
        <Skeleton key={line} height={18} width={`${92 - ((line * 23) % 40)}%`} radius="sm" />
      ))}
    </Stack>
  )
}
