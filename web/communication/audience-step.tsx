import { Alert, Radio, SimpleGrid, Stack, Text } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { KnownTagsChoice, ListsChoice } from '../form/choices.tsx'
import { Card } from '../ui/card.tsx'
import { AudienceSize } from './audience-size.tsx'
import type { ChangeDraft } from './composer-page.tsx'
import { audienceOf, type CampaignDraft, missingIn } from './draft.ts'

export function AudienceStep({ draft, change }: { draft: CampaignDraft; change: ChangeDraft }) {
  const { t } = useTranslation()
  const isMissing = missingIn(draft).includes('audience')
  return (
    <Card title={t('composer.step_audience')}>
      <Stack>
        <Radio.Group
          aria-label={t('composer.step_audience')}
          value={draft.everybody ? 'everybody' : 'some'}
          onChange={(value) => change({ everybody: value === 'everybody' })}
        >
          <Stack gap="sm">
            <Radio value="some" label={t('composer.some')} description={t('composer.audience_lead')} />
            <Radio value="everybody" label={t('composer.everybody')} />
          </Stack>
        </Radio.Group>
        {!draft.everybody && (
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
        )}
        {isMissing ? (
          <Alert color="gray">{t('composer.audience_empty')}</Alert>
        ) : (
          <AudienceSize audience={audienceOf(draft)} category={draft.category} />
        )}
        <Text fz="sm" c="dimmed">
          {t(`category_text.${draft.category}`)}
        </Text>
      </Stack>
    </Card>
  )
}
