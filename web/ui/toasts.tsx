// Short answers to what somebody did, in the corner; what deletes offers its undo right there.
import { Button, Group, Text } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { Check, TriangleAlert } from 'lucide-react'

export function toastDone(message: string, undo?: { label: string; run: () => void }): void {
  const id = notifications.show({
    message: undo ? (
      <Group justify="space-between" wrap="nowrap">
        <Text fz="sm">{message}</Text>
        <Button
          size="compact-sm"
          variant="light"
          onClick={() => {
            notifications.hide(id)
            undo.run()
          }}
        >
          {undo.label}
        </Button>
      </Group>
    ) : (
      message
    ),
    icon: <Check size={16} aria-hidden />,
    color: 'pine',
    autoClose: undo ? 12_000 : 4_000,
    role: 'status',
  })
}

export function toastProblem(message: string): void {
  notifications.show({
    message,
    icon: <TriangleAlert size={16} aria-hidden />,
    color: 'red',
    autoClose: 8_000,
    role: 'alert',
  })
}
