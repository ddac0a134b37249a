import { Badge } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import type { CampaignStatus } from '../api/types.ts'

const colors: Record<CampaignStatus, string> = {
  draft: 'gray',
  scheduled: 'blue',
  active: 'pine',
  paused: 'orange',
  completed: 'pine',
  canceled: 'gray',
}

export function CampaignBadge({ status }: { status: CampaignStatus }) {
  const { t } = useTranslation()
  return (
    <Badge color={colors[status]} className="badge" data-live={status === 'active' || undefined}>
      {t(`campaign_status.${status}`)}
    </Badge>
  )
}
