import { Button, CopyButton, Group, TextInput } from '@mantine/core'
import { Check, Copy } from 'lucide-react'

type CopyFieldProps = { label: string; value: string; copy: string; copied: string }

export function CopyField({ label, value, copy, copied }: CopyFieldProps) {
  return (
    <Group align="flex-end" gap="xs" wrap="nowrap">
      <TextInput
        label={label}
        value={value}
        readOnly
        flex={1}
        ff="monospace"
        onFocus={(event) => event.currentTarget.select()}
      />
      <CopyButton value={value}>
        {({ copied: done, copy: run }) => (
          <Button variant="default" onClick={run} leftSection={done ? <Check size={16} /> : <Copy size={16} />}>
            {done ? copied : copy}
          </Button>
        )}
      </CopyButton>
    </Group>
  )
}
