import { Stack } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { campaignPreviewQuery } from '../api/communication.ts'
import type { Channel, Rendered } from '../api/types.ts'
import { ContactChoice } from '../form/choices.tsx'
import { ProblemAlert } from '../form/problem-alert.tsx'
import { Card } from '../ui/card.tsx'
import { Fact, Facts } from '../ui/facts.tsx'
import { HtmlFrame } from '../ui/html-frame.tsx'

/** The mail as one contact gets it: sender, subject and message, made by the server's own renderer. */
export function CampaignPreview({ channel }: { channel: Channel }) {
  const { t } = useTranslation()
  const [contactId, setContactId] = useState<string | null>(null)
  const hasContent = Boolean(channel.content_template?.trim())
  const preview = useQuery({ ...campaignPreviewQuery(previewable(channel), contactId), enabled: hasContent })
  const chosen = [channel.config.from_name, channel.config.from_email].filter(Boolean).join(' · ')
  return (
    <Card title={t('content.preview')}>
      <Stack gap="sm">
        <ContactChoice
          label={t('content.as_contact')}
          placeholder={t('content.as_anyone')}
          value={contactId}
          onChange={setContactId}
        />
        <ProblemAlert error={preview.error} />
        <Facts>
          <Fact name={t('sandbox.from')}>{senderOf(preview.data) ?? (chosen || t('composer.from_default'))}</Fact>
          <Fact name={t('content.subject')}>{preview.data?.subject ?? channel.config.subject}</Fact>
        </Facts>
        <HtmlFrame title={t('content.preview')} html={preview.data?.html ?? ''} height={520} />
      </Stack>
    </Card>
  )
}

/** What a campaign carries beyond its own writable fields is the server's, which would refuse to be told it. */
function previewable({ type, config, content_template }: Channel): Channel {
  return { type, config, ...(content_template === undefined ? {} : { content_template }) }
}

function senderOf(rendered: Rendered | undefined): string | undefined {
  const headers = Object.entries(rendered?.headers ?? {})
  return headers.find(([name]) => name.toLowerCase() === 'from')?.[1]
}
