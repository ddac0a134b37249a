import { Alert, Anchor, Button, Group, Radio, Select, SimpleGrid, Stack, Text } from '@mantine/core'
import { DateTimePicker } from '@mantine/dates'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { CalendarClock, Send } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { audienceQuery, moveCampaign } from '../api/communication.ts'
import { explain } from '../api/explain.ts'
import type { Campaign, Kept } from '../api/types.ts'
import { timezones } from '../form/places.ts'
import { paths } from '../paths.ts'
import { useFollow } from '../shell/link-navigation.ts'
import { Card } from '../ui/card.tsx'
import { confirm } from '../ui/confirm.tsx'
import { formatMoment } from '../ui/time.tsx'
import { toastDone, toastProblem } from '../ui/toasts.tsx'
import { AudienceSize } from './audience-size.tsx'
import { CampaignPreview } from './campaign-preview.tsx'
import type { ChangeDraft } from './composer-page.tsx'
import { audienceOf, type CampaignDraft, channelOf, instant, missingIn, wallTime } from './draft.ts'

type ReviewStepProps = {
  campaign: Kept<Campaign>
  draft: CampaignDraft
  change: ChangeDraft
  save: () => Promise<Kept<Campaign>>
}

export function ReviewStep({ campaign, draft, change, save }: ReviewStepProps) {
  const { t } = useTranslation()
  const missing = missingIn(draft)
  const steps = { subject: 'details', audience: 'audience', content: 'content', past: 'review' } as const
  return (
    <Stack gap="lg">
      <Schedule draft={draft} change={change} />
      <SimpleGrid cols={{ base: 1, lg: 2 }} spacing="lg" style={{ alignItems: 'start' }}>
        <Card title={t('composer.audience')}>
          {missing.includes('audience') ? (
            <Text fz="sm">{t('composer.audience_empty')}</Text>
          ) : (
            <AudienceSize audience={audienceOf(draft)} category={draft.category} />
          )}
        </Card>
        <CampaignPreview channel={channelOf(draft)} />
      </SimpleGrid>
      {missing.length > 0 ? (
        <Alert color="orange" title={t('composer.missing_title')}>
          <ul className="plain-list">
            {missing.map((item) => (
              <li key={item}>
                <Anchor href={paths.editCampaign(campaign.id, steps[item])} fz="sm">
                  {t(`composer.missing_${item}`)}
                </Anchor>
              </li>
            ))}
          </ul>
        </Alert>
      ) : (
        <LaunchBar draft={draft} save={save} />
      )}
    </Stack>
  )
}

function Schedule({ draft, change }: { draft: CampaignDraft; change: ChangeDraft }) {
  const { t } = useTranslation()
  const inAnHour = () => wallTime(new Date(Date.now() + 3_600_000).toISOString(), draft.timezone)
  return (
    <Card title={t('composer.when')}>
      <Stack>
        <Radio.Group
          aria-label={t('composer.when')}
          value={draft.sendAt ? 'later' : 'now'}
          onChange={(value) => change({ sendAt: value === 'later' ? inAnHour() : null })}
        >
          <Group gap="lg">
            <Radio value="now" label={t('composer.now')} />
            <Radio value="later" label={t('composer.later')} />
          </Group>
        </Radio.Group>
        {draft.sendAt && (
          <Group align="flex-start">
            <DateTimePicker
              label={t('composer.send_at')}
              value={draft.sendAt}
              onChange={(sendAt) => sendAt && change({ sendAt })}
              valueFormat="DD MMM YYYY HH:mm"
              w={240}
            />
            <Select
              label={t('form.timezone')}
              data={timezones()}
              value={draft.timezone}
              searchable
              allowDeselect={false}
              onChange={(timezone) => timezone && change({ timezone })}
              w={240}
            />
          </Group>
        )}
      </Stack>
    </Card>
  )
}

function LaunchBar({ draft, save }: { draft: CampaignDraft; save: () => Promise<Kept<Campaign>> }) {
  const { t, i18n } = useTranslation()
  const follow = useFollow()
  const queries = useQueryClient()
  const audience = useQuery(audienceQuery(audienceOf(draft), draft.category))
  const sendable = audience.data?.sendable ?? 0
  const at = draft.sendAt ? instant(draft.sendAt, draft.timezone) : null
  const launch = useMutation({
    mutationFn: async () => moveCampaign(await save(), 'launch', at ? { send_at: at } : undefined),
    onSuccess: async (launched) => {
      await queries.invalidateQueries({ queryKey: ['campaigns'] })
      toastDone(t(at ? 'composer.scheduled' : 'composer.launched'))
      follow(paths.campaign(launched.id))
    },
    onError: (error) => toastProblem(explain(error, t)),
  })
  const ask = () =>
    confirm({
      title: t(at ? 'composer.schedule_title' : 'composer.launch_title', { count: sendable }),
      body: at
        ? t('composer.schedule_text', { at: formatMoment(at, i18n.language), name: draft.name })
        : t('composer.launch_text', { subject: draft.subject }),
      confirm: t(at ? 'composer.schedule' : 'composer.launch'),
      cancel: t('common.cancel'),
      run: () => launch.mutate(),
    })
  return (
    <Group justify="flex-end">
      {audience.data && sendable === 0 && <Text fz="sm">{t('composer.nobody')}</Text>}
      <Button
        size="md"
        leftSection={at ? <CalendarClock size={18} aria-hidden /> : <Send size={18} aria-hidden />}
        disabled={sendable === 0}
        loading={launch.isPending}
        onClick={ask}
      >
        {t(at ? 'composer.schedule_to' : 'composer.launch_to', { count: sendable })}
      </Button>
    </Group>
  )
}
