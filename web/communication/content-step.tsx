import { Button, Group, Select, Stack, TagsInput } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { FlaskConical } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { allTemplatesQuery, sendTest } from '../api/communication.ts'
import { useSession } from '../api/session.ts'
import type { Campaign, Template } from '../api/types.ts'
import { isEmail } from '../form/checks.ts'
import { ProblemAlert } from '../form/problem-alert.tsx'
import { Card } from '../ui/card.tsx'
import { confirm } from '../ui/confirm.tsx'
import { toastDone } from '../ui/toasts.tsx'
import type { ChangeDraft } from './composer-page.tsx'
import { ContentEditor } from './content-editor.tsx'
import type { CampaignDraft } from './draft.ts'
import { starterHtml } from './starter.ts'

type ContentStepProps = {
  campaign: Campaign
  draft: CampaignDraft
  change: ChangeDraft
  beforeTest: () => Promise<unknown>
}

export function ContentStep({ campaign, draft, change, beforeTest }: ContentStepProps) {
  const { t } = useTranslation()
  const templates = useQuery(allTemplatesQuery)
  const take = (template: Template | undefined) => {
    if (!template) return
    const run = () =>
      change({
        html: template.body_html,
        text: template.body_text ?? '',
        subject: draft.subject.trim() || template.subject,
      })
    if (draft.html.trim() === '') return run()
    confirm({
      title: t('composer.replace_title'),
      body: t('composer.replace_text', { name: template.name }),
      confirm: t('composer.replace'),
      cancel: t('common.cancel'),
      run,
    })
  }
  return (
    <Stack gap="lg">
      <Card
        title={t('composer.step_content')}
        aside={
          <Group gap="xs" wrap="nowrap">
            <Select
              aria-label={t('composer.from_template')}
              placeholder={t('composer.from_template')}
              size="xs"
              w={220}
              searchable
              value={null}
              data={templates.data?.map(({ id, name }) => ({ value: id, label: name })) ?? []}
              nothingFoundMessage={t('templates.empty')}
              onChange={(id) => take(templates.data?.find((template) => template.id === id))}
            />
            {draft.html.trim() === '' && (
              <Button
                size="xs"
                variant="default"
                onClick={() =>
                  change({
                    html: starterHtml({
                      greeting: t('starter.greeting', { name: '{{contact.first_name}}' }),
                      body: t('starter.body'),
                      unsubscribe: t('content.unsubscribe'),
                    }),
                  })
                }
              >
                {t('composer.starter')}
              </Button>
            )}
          </Group>
        }
      >
        <ContentEditor
          withText
          content={{ subject: draft.subject, body_html: draft.html, body_text: draft.text }}
          change={({ subject, body_html, body_text }) =>
            change({
              ...(subject === undefined ? {} : { subject }),
              ...(body_html === undefined ? {} : { html: body_html }),
              ...(body_text === undefined ? {} : { text: body_text }),
            })
          }
        />
      </Card>
      <TestMail campaignId={campaign.id} before={beforeTest} />
    </Stack>
  )
}

function TestMail({ campaignId, before }: { campaignId: string; before: () => Promise<unknown> }) {
  const { t } = useTranslation()
  const { user } = useSession()
  const [to, setTo] = useState(user.email ? [user.email] : [])
  const test = useMutation({
    mutationFn: async () => {
      await before()
      await sendTest(campaignId, to)
    },
    onSuccess: () => toastDone(t('composer.test_sent', { count: to.length })),
  })
  return (
    <Card title={t('composer.test')}>
      <Stack gap="sm">
        <ProblemAlert error={test.error} />
        <Group align="flex-end">
          <TagsInput
            flex={1}
            miw={220}
            label={t('composer.test_to')}
            description={t('composer.test_hint')}
            value={to}
            onChange={(emails) => setTo(emails.filter(isEmail))}
            maxTags={10}
            splitChars={[',', ';', ' ']}
          />
          <Button
            variant="default"
            leftSection={<FlaskConical size={16} aria-hidden />}
            disabled={to.length === 0}
            loading={test.isPending}
            onClick={() => test.mutate()}
          >
            {t('composer.test_send')}
          </Button>
        </Group>
      </Stack>
    </Card>
  )
}
