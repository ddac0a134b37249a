// Writing a campaign in four steps. Leaving a step saves it; the step is in the address.
import { Button, Group, Stepper } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import { Save } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { campaignQuery, changeCampaign } from '../api/communication.ts'
import type { Campaign, Kept } from '../api/types.ts'
import { ProblemAlert } from '../form/problem-alert.tsx'
import { paths } from '../paths.ts'
import { useUrlState } from '../table/use-url-state.ts'
import { Page } from '../ui/page.tsx'
import { Failed } from '../ui/states.tsx'
import { toastDone } from '../ui/toasts.tsx'
import { Waiting } from '../ui/waiting.tsx'
import { AudienceStep } from './audience-step.tsx'
import { ContentStep } from './content-step.tsx'
import { DetailsStep } from './details-step.tsx'
import { type CampaignDraft, draftOf, fieldsOf } from './draft.ts'
import { ReviewStep } from './review-step.tsx'

const steps = ['details', 'audience', 'content', 'review'] as const
export type ChangeDraft = (part: Partial<CampaignDraft>) => void

export function ComposerPage() {
  const { id = '' } = useParams({ strict: false }) as { id?: string }
  const { data: campaign, error, refetch } = useQuery(campaignQuery(id))
  if (error && !campaign) return <Failed error={error} retry={() => void refetch()} />
  return (
    <Waiting for={campaign} lines={10}>
      {campaign && <Composer key={campaign.id} campaign={campaign} />}
    </Waiting>
  )
}

function Composer({ campaign }: { campaign: Kept<Campaign> }) {
  const { t } = useTranslation()
  const queries = useQueryClient()
  const [search, changeUrl] = useUrlState()
  const [draft, setDraft] = useState(() => draftOf(campaign))
  const [saved, setSaved] = useState(draft)
  const change: ChangeDraft = (part) => setDraft((before) => ({ ...before, ...part }))
  const save = useMutation({
    mutationFn: async (next: CampaignDraft) => {
      if (next === saved) return campaign
      return changeCampaign(campaign, fieldsOf(next))
    },
    onSuccess: (stored, next) => {
      setSaved(next)
      if (stored !== campaign) queries.setQueryData(campaignQuery(campaign.id).queryKey, { ...campaign, ...stored })
    },
  })
  const active = Math.max(0, steps.indexOf((search.step ?? 'details') as (typeof steps)[number]))
  const goTo = (step: number) => save.mutate(draft, { onSuccess: () => changeUrl({ step: steps[step] }, 'push') })
  const isDirty = draft !== saved
  return (
    <Page
      title={draft.name || t('campaigns.untitled')}
      back={{ href: paths.campaigns(), label: t('nav.campaigns') }}
      lead={isDirty ? t('templates.unsaved') : t('composer.saved')}
      actions={
        <Button
          variant="default"
          leftSection={<Save size={16} aria-hidden />}
          loading={save.isPending}
          disabled={!isDirty}
          onClick={() => save.mutate(draft, { onSuccess: () => toastDone(t('common.saved')) })}
        >
          {t('composer.save')}
        </Button>
      }
    >
      <Stepper active={active} onStepClick={goTo} size="sm" mb="lg" className="stepper">
        {steps.map((step) => (
          <Stepper.Step key={step} label={t(`composer.step_${step}`)} />
        ))}
      </Stepper>
      <ProblemAlert error={save.error} />
      {active === 0 && <DetailsStep draft={draft} change={change} />}
      {active === 1 && <AudienceStep draft={draft} change={change} />}
      {active === 2 && (
        <ContentStep campaign={campaign} draft={draft} change={change} beforeTest={() => save.mutateAsync(draft)} />
      )}
      {active === 3 && (
        <ReviewStep campaign={campaign} draft={draft} change={change} save={() => save.mutateAsync(draft)} />
      )}
      <Group justify="flex-end" mt="lg">
        {active > 0 && (
          <Button variant="default" onClick={() => goTo(active - 1)}>
            {t('common.back')}
          </Button>
        )}
        {active < steps.length - 1 && <Button onClick={() => goTo(active + 1)}>{t('common.next')}</Button>}
      </Group>
    </Page>
  )
}
