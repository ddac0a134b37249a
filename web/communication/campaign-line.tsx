import { Anchor, Group, Progress, Text } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import type { Campaign } from '../api/types.ts'
import { paths } from '../paths.ts'
import { useNumbers } from '../ui/number.ts'
import { CampaignBadge } from './campaign-badge.tsx'
import { progressOf } from './progress.ts'

/** A campaign in one breath: its name, its state, how far it is. */
export function CampaignLine({ campaign }: { campaign: Campaign }) {
  const { t } = useTranslation()
  const numbers = useNumbers()
  const { settled, total, share } = progressOf(campaign.counts)
  return (
    <div>
      <Group justify="space-between" wrap="nowrap" gap="xs" mb={6}>
        <Anchor href={paths.campaign(campaign.id)} className="row-name" truncate>
          {campaign.name}
        </Anchor>
        <CampaignBadge status={campaign.status} />
      </Group>
      {total > 0 && (
        <>
          <Progress value={share * 100} size="sm" aria-label={t('campaign.progress_of', { name: campaign.name })} />
          <Text fz="xs" c="dimmed" mt={4}>
            {t('campaign.line', {
              done: numbers.count(settled),
              total: numbers.count(total),
              opened: numbers.share(campaign.counts?.opened, campaign.counts?.sent),
              clicked: numbers.share(campaign.counts?.clicked, campaign.counts?.sent),
            })}
          </Text>
        </>
      )}
    </div>
  )
}
