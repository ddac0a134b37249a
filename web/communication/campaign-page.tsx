// A campaign while it is sent and after: how far it is, who got it, who did not and why.
import { Alert, Button, Group, Progress, SimpleGrid, Stack, Tabs, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import { CalendarClock, Pencil } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { campaignQuery } from '../api/communication.ts'
import type { Campaign, Kept } from '../api/types.ts'
import { paths } from '../paths.ts'
import { useUrlState } from '../table/use-url-state.ts'
import { Card } from '../ui/card.tsx'
import { Fact, Facts } from '../ui/facts.tsx'
import { Figure } from '../ui/figure.tsx'
import { useNumbers } from '../ui/number.ts'
import { Page } from '../ui/page.tsx'
import { Failed } from '../ui/states.tsx'
import { Moment } from '../ui/time.tsx'
import { Waiting } from '../ui/waiting.tsx'
import { CampaignBadge } from './campaign-badge.tsx'
import { CampaignActions } from './campaign-actions.tsx'
import { CampaignPreview } from './campaign-preview.tsx'
import { CampaignLinks } from './campaign-links.tsx'
import { Ledger } from './ledger.tsx'
import { progressOf } from './progress.ts'

export function CampaignPage() {
  const { t } = useTranslation()
  const { id = '' } = useParams({ strict: false }) as { id?: string }
  const [search, change] = useUrlState()
  const { data: campaign, error, refetch } = useQuery(campaignQuery(id))
  if (error && !campaign) return <Failed error={error} retry={() => void refetch()} />
  const subject = campaign?.channels[0]?.config.subject
  return (
    <Page
      title={campaign?.name ?? t('common.loading')}
      back={{ href: paths.campaigns(), label: t('nav.campaigns') }}
      lead={
        campaign && (
          <Group gap="xs">
            <CampaignBadge status={campaign.status} />
            <span>{subject}</span>
          </Group>
        )
      }
      actions={campaign && <CampaignActions campaign={campaign} />}
    >
      <Waiting for={campaign} lines={10}>
        {campaign && (
          <Stack gap="lg">
            {campaign.status === 'draft' ? <DraftNotice campaign={campaign} /> : <Overview campaign={campaign} />}
            <Tabs
              value={search.tab ?? 'ledger'}
              onChange={(tab) => change({ tab: tab ?? undefined })}
              keepMounted={false}
            >
              <Tabs.List mb="md">
                <Tabs.Tab value="ledger">{t('campaign.ledger')}</Tabs.Tab>
                <Tabs.Tab value="links">{t('campaign.links')}</Tabs.Tab>
                <Tabs.Tab value="message">{t('campaign.message')}</Tabs.Tab>
              </Tabs.List>
              <Tabs.Panel value="ledger">
                <Ledger campaign={campaign} />
              </Tabs.Panel>
              <Tabs.Panel value="links">
                <CampaignLinks id={campaign.id} />
              </Tabs.Panel>
              <Tabs.Panel value="message">
                <Message campaign={campaign} />
              </Tabs.Panel>
            </Tabs>
          </Stack>
        )}
      </Waiting>
    </Page>
  )
}

function DraftNotice({ campaign }: { campaign: Campaign }) {
  const { t } = useTranslation()
  return (
    <Alert color="gray" title={t('campaign.draft_title')}>
      <Button
        component="a"
        href={paths.editCampaign(campaign.id)}
        size="xs"
        leftSection={<Pencil size={15} aria-hidden />}
      >
        {t('campaign.continue')}
      </Button>
    </Alert>
  )
}

function StartsOn({ at }: { at: string | null | undefined }) {
  const { t } = useTranslation()
  if (!at) return null
  return (
    <Alert color="blue" icon={<CalendarClock size={18} aria-hidden />}>
      {t('campaign.starts')} <Moment at={at} exact />
    </Alert>
  )
}

function Overview({ campaign }: { campaign: Kept<Campaign> }) {
  const { t } = useTranslation()
  const numbers = useNumbers()
  const counts = campaign.counts ?? {}
  const { settled, total, share } = progressOf(counts)
  const sendAt = campaign.scheduled_at
  const waiting = (counts.queued ?? 0) + (counts.claimed ?? 0) + (counts.handed_over ?? 0) + (counts.retry ?? 0)
  // Nobody is in the ledger before it starts: six empty figures would say nothing.
  if (campaign.status === 'scheduled' && total === 0) return <StartsOn at={sendAt} />
  const section = (name: string) => (total > 0 ? ((counts[name as keyof typeof counts] ?? 0) / total) * 100 : 0)
  return (
    <Stack gap="lg">
      {campaign.status === 'scheduled' && <StartsOn at={sendAt} />}
      {campaign.status === 'paused' && campaign.pause_reason && <Alert color="orange">{campaign.pause_reason}</Alert>}
      <Card>
        <Group justify="space-between" mb={8}>
          <Text fz="sm" fw={600} role="status">
            {t('campaign.of', { done: numbers.count(settled), total: numbers.count(total) })} ·{' '}
            {numbers.share(settled, total)}
          </Text>
          <Text fz="sm" c="dimmed">
            {waiting > 0 && t('campaign.waiting', { count: waiting })}
          </Text>
        </Group>
        <Progress.Root
          size="lg"
          role="img"
          aria-label={t('campaign.progress_label', {
            share: numbers.share(settled, total),
            sent: numbers.count(counts.sent),
            failed: numbers.count(counts.failed),
            skipped: numbers.count(counts.skipped),
          })}
        >
          <Progress.Section
            value={section('sent')}
            color="pine"
            animated={campaign.status === 'active' && share < 1}
            aria-hidden
          />
          <Progress.Section value={section('failed')} color="red" aria-hidden />
          <Progress.Section value={section('skipped')} color="gray.5" aria-hidden />
        </Progress.Root>
      </Card>
      <div className="figures">
        <Figure
          label={t('delivery.sent')}
          value={numbers.count(counts.sent)}
          href={ledgerHref(campaign, 'sent')}
          note={numbers.share(counts.sent, total)}
        />
        <Figure
          label={t('campaign.opened')}
          value={numbers.share(counts.opened, counts.sent)}
          note={t('campaign.unique', {
            unique: numbers.count(counts.opened),
            machine: numbers.count(counts.opened_machine),
          })}
        />
        <Figure
          label={t('campaign.clicked')}
          value={numbers.share(counts.clicked, counts.sent)}
          note={t('campaign.unique', {
            unique: numbers.count(counts.clicked),
            machine: numbers.count(counts.clicked_machine),
          })}
        />
        <Figure
          label={t('campaign.unsubscribed')}
          value={numbers.count(counts.unsubscribed)}
          note={numbers.share(counts.unsubscribed, counts.sent)}
        />
        <Figure
          label={t('delivery.failed')}
          value={numbers.count(counts.failed)}
          href={ledgerHref(campaign, 'failed')}
          note={numbers.share(counts.failed, total)}
        />
        <Figure
          label={t('delivery.skipped')}
          value={numbers.count(counts.skipped)}
          href={ledgerHref(campaign, 'skipped')}
          note={numbers.share(counts.skipped, total)}
        />
      </div>
    </Stack>
  )
}

const ledgerHref = (campaign: Campaign, state: string) => paths.campaign(campaign.id, { tab: 'ledger', state })

function Message({ campaign }: { campaign: Campaign }) {
  const { t } = useTranslation()
  const channel = campaign.channels[0]
  const sender = [channel?.config.from_name, channel?.config.from_email].filter(Boolean).join(' · ')
  return (
    <SimpleGrid cols={{ base: 1, md: 2 }} spacing="lg" style={{ alignItems: 'start' }}>
      <Card title={t('composer.step_details')}>
        <Facts>
          <Fact name={t('content.subject')}>{channel?.config.subject}</Fact>
          <Fact name={t('sandbox.from')}>{sender || t('composer.from_default')}</Fact>
          <Fact name={t('columns.created')}>
            <Moment at={campaign.created_at} />
          </Fact>
          <Fact name={t('campaign.started')}>
            <Moment at={campaign.launched_at} />
          </Fact>
          <Fact name={t('campaign.finished')}>
            <Moment at={campaign.completed_at} />
          </Fact>
        </Facts>
      </Card>
      {channel && <CampaignPreview channel={channel} />}
    </SimpleGrid>
  )
}
