import { Select, SimpleGrid, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { workspaceQuery } from '../api/workspace.ts'
import { Card } from '../ui/card.tsx'
import type { ChangeDraft } from './composer-page.tsx'
import type { CampaignDraft } from './draft.ts'

export function DetailsStep({ draft, change }: { draft: CampaignDraft; change: ChangeDraft }) {
  const { t } = useTranslation()
  const { data: workspace } = useQuery(workspaceQuery)
  return (
    <Card title={t('composer.step_details')}>
      <SimpleGrid cols={{ base: 1, sm: 2 }}>
        <TextInput
          label={t('composer.name')}
          description={t('composer.name_hint')}
          required
          value={draft.name}
          onChange={(event) => change({ name: event.currentTarget.value })}
        />
        <TextInput
          label={t('content.subject')}
          description={t('composer.subject_hint')}
          required
          value={draft.subject}
          onChange={(event) => change({ subject: event.currentTarget.value })}
        />
        <TextInput
          label={t('composer.from_name')}
          description={t('composer.from_hint')}
          placeholder={workspace?.mail_from_name ?? workspace?.name ?? ''}
          value={draft.fromName}
          onChange={(event) => change({ fromName: event.currentTarget.value })}
        />
        <TextInput
          label={t('composer.from_email')}
          description={t('composer.from_hint')}
          type="email"
          placeholder={workspace?.mail_from ?? ''}
          value={draft.fromEmail}
          onChange={(event) => change({ fromEmail: event.currentTarget.value })}
        />
        <Select
          label={t('composer.category')}
          description={t(`category_text.${draft.category}`)}
          allowDeselect={false}
          value={draft.category}
          data={(['newsletter', 'marketing', 'transactional'] as const).map((value) => ({
            value,
            label: t(`consent.${value}`),
          }))}
          onChange={(category) => category && change({ category })}
        />
      </SimpleGrid>
    </Card>
  )
}
