import { Group, Text } from '@mantine/core'

/** The mark of Rapport: an R whose leg leaves it, as an answer leaves a conversation. */
export function Logo({ size = 28 }: { size?: number }) {
  return (
    <svg viewBox="0 0 32 32" width={size} height={size} aria-hidden focusable="false">
      <rect width="32" height="32" rx="8" fill="#1d5f58" />
      <path
        d="M8 24V13a5 5 0 0 1 5-5h3.5a5 5 0 0 1 0 10H13"
        fill="none"
        stroke="#fff"
        strokeWidth="3"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
      <path d="M17 18l5.5 6" fill="none" stroke="#f2b872" strokeWidth="3" strokeLinecap="round" />
    </svg>
  )
}

export function Wordmark() {
  return (
    <Group gap={10} wrap="nowrap">
      <Logo />
      <Text fw={700} fz="lg" style={{ letterSpacing: '-0.015em' }}>
        Rapport
      </Text>
    </Group>
  )
}
