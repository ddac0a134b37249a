import { Anchor, Button, Group, Progress, SegmentedControl, Select, Text } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import { Megaphone, Plus } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { useList } from '../api/list.ts'
import { isLive } from '../api/live.ts'
import { useAbilities } from '../api/session.ts'
import type { Campaign } from '../api/types.ts'
import { paths } from '../paths.ts'
import { DataTable } from '../table/data-table.tsx'
import type { Column } from '../table/column.ts'
import { SearchBox } from '../table/search-box.tsx'
import { useUrlState } from '../table/use-url-state.ts'
import { useNumbers } from '../ui/number.ts'
import { Page } from '../ui/page.tsx'
import { Empty } from '../ui/states.tsx'
import { Moment } from '../ui/time.tsx'
import { CampaignBadge } from './campaign-badge.tsx'
import { progressOf } from './progress.ts'

const statuses = ['draft', 'scheduled', 'active', 'paused', 'completed', 'canceled'] as const

export function CampaignsPage() {
  const { t } = useTranslation()
  const { campaigns: may } = useAbilities()
  const [search, change] = useUrlState()
  const columns = useColumns()
  const list = useList<Campaign>(
    ['campaigns'],
    '/communication/campaigns',
    { search: search.search, status: search.status },
    isLive() ? 15_000 : 5_000,
  )
  const isFiltered = Boolean(search.search || search.status)
  const newButton = may && (
    <Button component="a" href={paths.newCampaign()} leftSection={<Plus size={16} aria-hidden />}>
      {t('campaigns.new')}
    </Button>
  )
  return (
    <Page title={t('nav.campaigns')} lead={t('campaigns.lead')} actions={newButton}>
      <Group className="toolbar">
        <SearchBox
          label={t('campaigns.search')}
          value={search.search ?? ''}
          onChange={(text) => change({ search: text })}
          busy={list.isStale}
        />
        <StatusFilter value={search.status ?? ''} onChange={(status) => change({ status })} />
      </Group>
      <DataTable
        label={t('nav.campaigns')}
        columns={columns}
        list={list}
        rowId={(row) => row.id}
        empty={
          <Empty
            icon={Megaphone}
            title={isFiltered ? t('campaigns.nothing_found') : t('campaigns.empty')}
            action={!isFiltered && newButton}
          >
            {!isFiltered && t('campaigns.empty_text')}
          </Empty>
        }
      />
    </Page>
  )
}

function StatusFilter({ value, onChange }: { value: string; onChange: (status: string) => void }) {
  const { t } = useTranslation()
  const isNarrow = useMediaQuery('(max-width: 62em)')
  const data = [
    { value: '', label: t('campaigns.all') },
    ...statuses.map((status) => ({ value: status as string, label: t(`campaign_status.${status}`) })),
  ]
  if (isNarrow)
    return (
      <Select
        aria-label={t('columns.status')}
        data={data}
        value={value}
        allowDeselect={false}
        onChange={(status) => onChange(status ?? '')}
      />
    )
  return <SegmentedControl aria-label={t('columns.status')} size="sm" data={data} value={value} onChange={onChange} />
}

function useColumns(): Column<Campaign>[] {
  const { t } = useTranslation()
  const numbers = useNumbers()
  return [
    {
      id: 'name',
      header: t('columns.name'),
      cell: (row) => (
        <div>
          <Anchor
            href={row.status === 'draft' ? paths.editCampaign(row.id) : paths.campaign(row.id)}
            className="row-name"
          >
            {row.name}
          </Anchor>
          <Text fz="xs" c="dimmed" lineClamp={1}>
            {row.channels[0]?.config.subject}
          </Text>
        </div>
      ),
    },
    { id: 'status', header: t('columns.status'), cell: (row) => <CampaignBadge status={row.status} /> },
    {
      id: 'progress',
      header: t('campaign.progress'),
      width: 190,
      cell: (row) => {
        const { settled, total, share } = progressOf(row.counts)
        if (total === 0) return <span className="none">–</span>
        return (
          <div>
            <Progress value={share * 100} size="sm" aria-label={t('campaign.progress_of', { name: row.name })} />
            <Text fz="xs" c="dimmed" mt={2}>
              {t('campaign.of', { done: numbers.count(settled), total: numbers.count(total) })}
            </Text>
          </div>
        )
      },
    },
    {
      id: 'opened',
      header: t('campaign.opened'),
      align: 'right',
      cell: (row) => numbers.share(row.counts?.opened, row.counts?.sent),
    },
    {
      id: 'clicked',
      header: t('campaign.clicked'),
      align: 'right',
      cell: (row) => numbers.share(row.counts?.clicked, row.counts?.sent),
    },
    {
      id: 'when',
      header: t('columns.updated'),
      cell: (row) => <Moment at={row.completed_at ?? row.launched_at ?? row.updated_at} />,
    },
  ]
}
