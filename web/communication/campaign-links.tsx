import { Anchor } from '@mantine/core'
import { Link2 } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { useList } from '../api/list.ts'
import type { CampaignLink } from '../api/types.ts'
import { DataTable } from '../table/data-table.tsx'
import type { Column } from '../table/column.ts'
import { useNumbers } from '../ui/number.ts'
import { Empty } from '../ui/states.tsx'

export function CampaignLinks({ id }: { id: string }) {
  const { t } = useTranslation()
  const numbers = useNumbers()
  const list = useList<CampaignLink>(['campaigns', id, 'links'], `/communication/campaigns/${id}/links`)
  const columns: Column<CampaignLink>[] = [
    {
      id: 'url',
      header: t('campaign.link'),
      cell: (row) => (
        <Anchor href={row.url} target="_blank" rel="noreferrer" className="link-url">
          {row.url}
        </Anchor>
      ),
    },
    {
      id: 'unique',
      header: t('campaign.unique_clicks'),
      align: 'right',
      cell: (row) => numbers.count(row.unique_clicks),
    },
    { id: 'clicks', header: t('campaign.clicks'), align: 'right', cell: (row) => numbers.count(row.clicks) },
  ]
  return (
    <DataTable
      label={t('campaign.links')}
      columns={columns}
      list={list}
      rowId={(row) => row.url}
      empty={
        <Empty icon={Link2} title={t('campaign.no_links')}>
          {t('campaign.no_links_text')}
        </Empty>
      }
    />
  )
}
