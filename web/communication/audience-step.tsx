import { Alert, SimpleGrid, Stack, Text } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { KnownTagsChoice, ListsChoice } from '../form/choices.tsx'
import { Card } from '../ui/card.tsx'
import { AudienceSize } from './audience-size.tsx'
import type { ChangeDraft } from './composer-page.tsx'
import type { CampaignDraft } from './draft.ts'

export function AudienceStep({ draft, change }: { draft: CampaignDraft; change: ChangeDraft }) {
  const { t } = useTranslation()
  const isEmpty = draft.listIds.length + draft.tags.length === 0
  return (
    <Card title={t('composer.step_audience')}>
      <Stack>
        <Text fz="sm" c="dimmed">
          {t('composer.audience_lead')}
        </Text>
        <SimpleGrid cols={{ base: 1, sm: 2 }}>
          <ListsChoice
            label={t('nav.lists')}
            value={draft.listIds}
            onChange={(listIds) => change({ listIds })}
            placeholder={draft.listIds.length ? '' : t('composer.choose_lists')}
          />
          <KnownTagsChoice
            label={t('nav.tags')}
            value={draft.tags}
            onChange={(tags) => change({ tags })}
            placeholder={draft.tags.length ? '' : t('composer.choose_tags')}
          />
        </SimpleGrid>
        {isEmpty ? (
          <Alert color="gray">{t('composer.audience_empty')}</Alert>
        ) : (
          <AudienceSize audience={{ list_ids: draft.listIds, tags: draft.tags }} />
        )}
      </Stack>
    </Card>
  )
}
