import { ActionIcon, Checkbox, Popover, SegmentedControl, Stack, Text } from '@mantine/core'
import { Columns3 } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { type ColumnId, columnIds } from './columns.tsx'

type TableSettingsProps = {
  chosen: ColumnId[]
  choose: (chosen: ColumnId[]) => void
  pageSize: string
  setPageSize: (size: string) => void
}

export function TableSettings({ chosen, choose, pageSize, setPageSize }: TableSettingsProps) {
  const { t } = useTranslation()
  return (
    <Popover width={240} position="bottom-end" trapFocus returnFocus>
      <Popover.Target>
        <ActionIcon variant="default" size={36} aria-label={t('columns.choose')} title={t('columns.choose')}>
          <Columns3 size={17} aria-hidden />
        </ActionIcon>
      </Popover.Target>
      <Popover.Dropdown aria-label={t('columns.choose')}>
        <Checkbox.Group value={chosen} onChange={(ids) => choose(ids as ColumnId[])} label={t('columns.choose')}>
          <Stack gap={6} mt="xs">
            {columnIds.map((id) => (
              <Checkbox key={id} value={id} label={t(`columns.${id}`)} />
            ))}
          </Stack>
        </Checkbox.Group>
        <Text fz="sm" fw={500} mt="md" mb={4} id="page-size">
          {t('table.page_size')}
        </Text>
        <SegmentedControl
          fullWidth
          size="sm"
          aria-labelledby="page-size"
          data={['25', '50', '100', '200']}
          value={pageSize}
          onChange={setPageSize}
        />
      </Popover.Dropdown>
    </Popover>
  )
}
