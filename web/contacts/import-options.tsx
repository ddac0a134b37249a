import { Button, Checkbox, Group, Radio, SimpleGrid, Stack, Text, Textarea, TextInput } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import type { Duplicates } from '../api/types.ts'
import { ListChoice, TagsChoice } from '../form/choices.tsx'
import { Card } from '../ui/card.tsx'

export type Options = {
  duplicates: Duplicates
  listId: string | null
  tags: string[]
  newsletter: boolean
  marketing: boolean
  consentSource: string
  consentWording: string
}

type ImportOptionsProps = { options: Options; change: (options: Options) => void; back: () => void; next: () => void }

export function ImportOptions({ options, change, back, next }: ImportOptionsProps) {
  const { t } = useTranslation()
  const set = (part: Partial<Options>) => change({ ...options, ...part })
  const declares = options.newsletter || options.marketing
  const isReady = !declares || (options.consentSource.trim() !== '' && options.consentWording.trim() !== '')
  return (
    <Stack gap="lg">
      <Card title={t('import.duplicates')}>
        <Radio.Group
          aria-label={t('import.duplicates')}
          value={options.duplicates}
          onChange={(value) => set({ duplicates: value as Duplicates })}
        >
          <Stack gap="sm">
            {(['skip', 'update', 'merge'] as const).map((mode) => (
              <Radio
                key={mode}
                value={mode}
                label={t(`import.mode_${mode}`)}
                description={t(`import.mode_${mode}_text`)}
              />
            ))}
          </Stack>
        </Radio.Group>
      </Card>
      <Card title={t('import.put_into')}>
        <SimpleGrid cols={{ base: 1, sm: 2 }}>
          <ListChoice
            label={t('filters.list')}
            placeholder={t('import.no_list')}
            value={options.listId}
            onChange={(listId) => set({ listId })}
          />
          <TagsChoice label={t('columns.tags')} value={options.tags} onChange={(tags) => set({ tags })} />
        </SimpleGrid>
      </Card>
      <Card title={t('import.consent')}>
        <Stack gap="sm">
          <Text fz="sm" c="dimmed">
            {t('import.consent_lead')}
          </Text>
          <Checkbox
            label={t('import.consent_newsletter')}
            checked={options.newsletter}
            onChange={(event) => set({ newsletter: event.currentTarget.checked })}
          />
          <Checkbox
            label={t('import.consent_marketing')}
            checked={options.marketing}
            onChange={(event) => set({ marketing: event.currentTarget.checked })}
          />
          {declares && (
            <>
              <TextInput
                label={t('import.consent_source')}
                placeholder={t('import.consent_source_hint')}
                required
                value={options.consentSource}
                onChange={(event) => set({ consentSource: event.currentTarget.value })}
              />
              <Textarea
                label={t('import.consent_wording')}
                placeholder={t('import.consent_wording_hint')}
                required
                autosize
                minRows={2}
                value={options.consentWording}
                onChange={(event) => set({ consentWording: event.currentTarget.value })}
              />
            </>
          )}
        </Stack>
      </Card>
      <Group justify="flex-end">
        <Button variant="default" onClick={back}>
          {t('common.back')}
        </Button>
        <Button disabled={!isReady} onClick={next}>
          {t('import.check')}
        </Button>
      </Group>
    </Stack>
  )
}
