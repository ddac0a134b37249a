import { Anchor, Badge, Group, Select, Text, Tooltip } from '@mantine/core'
import { ListChecks } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { isMoving } from '../api/communication.ts'
import { useList } from '../api/list.ts'
import { isLive } from '../api/live.ts'
import type { Campaign, Delivery, DeliveryState } from '../api/types.ts'
import { paths } from '../paths.ts'
import { DataTable } from '../table/data-table.tsx'
import type { Column } from '../table/column.ts'
import { SearchBox } from '../table/search-box.tsx'
import { useUrlState } from '../table/use-url-state.ts'
import { useNumbers } from '../ui/number.ts'
import { Empty } from '../ui/states.tsx'
import { Moment } from '../ui/time.tsx'
import { useReason } from './reasons.ts'

const states = ['queued', 'claimed', 'handed_over', 'sent', 'retry', 'failed', 'skipped'] as const
const colors: Record<DeliveryState, string> = {
  queued: 'gray',
  claimed: 'blue',
  handed_over: 'blue',
  sent: 'pine',
  retry: 'yellow',
  failed: 'red',
  skipped: 'gray',
}

/** One line per recipient: the answer to "did she get it, and if not, why?". */
export function Ledger({ campaign }: { campaign: Campaign }) {
  const { t } = useTranslation()
  const numbers = useNumbers()
  const [search, change] = useUrlState()
  const columns = useColumns()
  const interval = isMoving(campaign.status) ? (isLive() ? 10_000 : 3_000) : undefined
  const list = useList<Delivery>(
    ['campaigns', campaign.id, 'deliveries'],
    `/communication/campaigns/${campaign.id}/deliveries`,
    { state: search.state, search: search.search },
    interval,
  )
  const data = states.map((state) => ({
    value: state as string,
    label: `${t(`delivery.${state}`)} (${numbers.count(campaign.counts?.[state])})`,
  }))
  return (
    <>
      <Group className="toolbar">
        <SearchBox
          label={t('campaign.search_recipient')}
          value={search.search ?? ''}
          onChange={(text) => change({ search: text })}
          busy={list.isStale}
        />
        <Select
          aria-label={t('campaign.state')}
          placeholder={t('campaign.all_states')}
          clearable
          data={data}
          value={search.state ?? null}
          onChange={(state) => change({ state: state ?? undefined })}
        />
      </Group>
      <DataTable
        label={t('campaign.ledger')}
        columns={columns}
        list={list}
        rowId={(row) => row.contact_id}
        empty={
          <Empty
            icon={ListChecks}
            title={search.state || search.search ? t('campaign.ledger_nothing') : t('campaign.ledger_empty')}
          >
            {!search.state && !search.search && t('campaign.ledger_empty_text')}
          </Empty>
        }
      />
    </>
  )
}

function useColumns(): Column<Delivery>[] {
  const { t } = useTranslation()
  const numbers = useNumbers()
  const reason = useReason()
  return [
    {
      id: 'contact',
      header: t('campaign.recipient'),
      width: 260,
      cell: (row) => (
        <div>
          <Anchor href={paths.contact(row.contact_id)} className="row-name">
            {row.full_name || row.email}
          </Anchor>
          {row.full_name && (
            <Text fz="xs" c="dimmed" truncate>
              {row.email}
            </Text>
          )}
        </div>
      ),
    },
    {
      id: 'state',
      header: t('campaign.state'),
      cell: (row) => (
        <Badge color={colors[row.state]} className="badge">
          {t(`delivery.${row.state}`)}
        </Badge>
      ),
    },
    { id: 'why', header: t('campaign.why'), cell: (row) => <Why row={row} reason={reason} /> },
    { id: 'attempts', header: t('campaign.attempts'), align: 'right', cell: (row) => numbers.count(row.attempts) },
    { id: 'sent', header: t('delivery.sent'), cell: (row) => <Moment at={row.sent_at} /> },
    { id: 'opens', header: t('campaign.opens'), align: 'right', cell: (row) => numbers.count(row.opens) },
    { id: 'clicks', header: t('campaign.clicks'), align: 'right', cell: (row) => numbers.count(row.clicks) },
  ]
}

function Why({ row, reason }: { row: Delivery; reason: (name: string) => string }) {
  const { t } = useTranslation()
  if (row.state === 'retry' && row.next_attempt_at) {
    return (
      <Text fz="sm">
        {t('campaign.next_attempt')} <Moment at={row.next_attempt_at} />
      </Text>
    )
  }
  const words = row.reason ? reason(row.reason) : null
  if (!words) return <span className="none">–</span>
  if (!row.response) return <Text fz="sm">{words}</Text>
  return (
    <Tooltip label={row.response} multiline maw={360}>
      <Text fz="sm" tabIndex={0} className="explained">
        {words}
      </Text>
    </Tooltip>
  )
}
