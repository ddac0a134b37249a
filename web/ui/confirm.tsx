import { Text } from '@mantine/core'
import { modals } from '@mantine/modals'

type Question = { title: string; body: string; confirm: string; cancel: string; danger?: boolean; run: () => void }

/** Asks before something that cannot be undone by a toast. */
export function confirm({ title, body, confirm: yes, cancel, danger = false, run }: Question): void {
  modals.openConfirmModal({
    title,
    children: <Text fz="sm">{body}</Text>,
    labels: { confirm: yes, cancel },
    confirmProps: danger ? { color: 'red' } : {},
    onConfirm: run,
  })
}
