import { Anchor, SimpleGrid, Stack, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { recentCampaignsQuery } from '../api/communication.ts'
import { recentInteractionsQuery, statsQuery } from '../api/contacts.ts'
import { useSession } from '../api/session.ts'
import type { ContactStats } from '../api/types.ts'
import { CampaignLine } from '../communication/campaign-line.tsx'
import { TimelineItem } from '../contacts/timeline-item.tsx'
import { paths } from '../paths.ts'
import { Card } from '../ui/card.tsx'
import { Figure } from '../ui/figure.tsx'
import { useNumbers } from '../ui/number.ts'
import { Page } from '../ui/page.tsx'
import { Sparkline } from '../ui/sparkline.tsx'
import { Failed } from '../ui/states.tsx'
import { Waiting } from '../ui/waiting.tsx'
import { FirstSteps } from './first-steps.tsx'

export function DashboardPage() {
  const { t } = useTranslation()
  const { user } = useSession()
  const stats = useQuery(statsQuery)
  return (
    <Page
      title={t('nav.dashboard')}
      heading={t('dashboard.hello', { name: user.full_name.split(' ')[0] })}
      lead={t('dashboard.lead')}
    >
      <Stack gap="lg">
        <FirstSteps contacts={stats.data?.total} />
        {stats.error && <Failed error={stats.error} retry={() => void stats.refetch()} />}
        {!stats.error && <Totals stats={stats.data} />}
        <SimpleGrid cols={{ base: 1, lg: 2 }} spacing="lg" style={{ alignItems: 'start' }}>
          <RecentCampaigns />
          <RecentTimeline />
        </SimpleGrid>
      </Stack>
    </Page>
  )
}

function Totals({ stats }: { stats: ContactStats | undefined }) {
  const { t } = useTranslation()
  const numbers = useNumbers()
  const growth = stats?.growth.map(({ created }) => created) ?? []
  const gained = growth.reduce((sum, value) => sum + value, 0)
  return (
    <div className="totals">
      <Figure
        label={t('dashboard.total')}
        value={<Waiting for={stats}>{numbers.count(stats?.total)}</Waiting>}
        note={t('dashboard.total_note', { count: stats?.new_last_30_days ?? 0 })}
        href={paths.contacts()}
      />
      <Figure
        label={t('dashboard.subscribed')}
        value={<Waiting for={stats}>{numbers.count(stats?.subscribed)}</Waiting>}
        note={t('dashboard.subscribed_note', { share: numbers.share(stats?.subscribed, stats?.total) })}
        href={paths.contacts({ status: 'active' })}
      />
      <Figure
        label={t('dashboard.score')}
        value={<Waiting for={stats}>{numbers.decimal(stats?.average_score)}</Waiting>}
        note={t('dashboard.score_note')}
        href={paths.contacts({ sort: '-engagement_score' })}
      />
      <section className="figure figure-wide">
        <Text fz="sm" c="dimmed">
          {t('dashboard.growth')}
        </Text>
        <Sparkline values={growth} label={t('dashboard.growth_label', { count: gained })} />
      </section>
    </div>
  )
}

function RecentCampaigns() {
  const { t } = useTranslation()
  const campaigns = useQuery(recentCampaignsQuery)
  const rows = campaigns.data?.data ?? []
  return (
    <Card
      title={t('dashboard.campaigns')}
      aside={
        <Anchor href={paths.campaigns()} fz="sm">
          {t('common.see_all')}
        </Anchor>
      }
    >
      {campaigns.error ? (
        <Failed error={campaigns.error} retry={() => void campaigns.refetch()} />
      ) : (
        <Waiting for={campaigns.data} lines={4}>
          {rows.length === 0 ? (
            <Text c="dimmed" fz="sm">
              {t('dashboard.no_campaigns')}
            </Text>
          ) : null}
          <Stack gap="md">
            {rows.map((campaign) => (
              <CampaignLine key={campaign.id} campaign={campaign} />
            ))}
          </Stack>
        </Waiting>
      )}
    </Card>
  )
}

function RecentTimeline() {
  const { t } = useTranslation()
  const timeline = useQuery(recentInteractionsQuery)
  const rows = timeline.data?.data ?? []
  return (
    <Card title={t('dashboard.timeline')}>
      {timeline.error ? (
        <Failed error={timeline.error} retry={() => void timeline.refetch()} />
      ) : (
        <Waiting for={timeline.data} lines={6}>
          {rows.length === 0 ? (
            <Text c="dimmed" fz="sm">
              {t('dashboard.no_timeline')}
            </Text>
          ) : (
            <ol className="timeline">
              {rows.map((item) => (
                <TimelineItem key={item.id} item={item} withContact />
              ))}
            </ol>
          )}
        </Waiting>
      )}
    </Card>
  )
}
