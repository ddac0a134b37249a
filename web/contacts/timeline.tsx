import { Button, Center, Group, Select, Text } from '@mantine/core'
import { Plus } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useList } from '../api/list.ts'
import { useAbilities } from '../api/session.ts'
import type { Interaction } from '../api/types.ts'
import { en } from '../i18n/en.ts'
import { Card } from '../ui/card.tsx'
import { Failed } from '../ui/states.tsx'
import { Waiting } from '../ui/waiting.tsx'
import { useUrlState } from '../table/use-url-state.ts'
import { AddInteraction } from './add-interaction.tsx'
import { type InteractionType, TimelineItem, typeLabel } from './timeline-item.tsx'

/** Everything that ever happened with a contact, newest first. */
export function Timeline({ contactId, startAdding }: { contactId: string; startAdding: boolean }) {
  const { t } = useTranslation()
  const { write } = useAbilities()
  const [search, change] = useUrlState()
  const [isAdding, setAdding] = useState(startAdding)
  const list = useList<Interaction>(['contacts', contactId, 'interactions'], `/contacts/${contactId}/interactions`, {
    type: search.type,
  })
  const types = Object.keys(en.interaction) as InteractionType[]
  return (
    <Card
      title={t('timeline.title')}
      aside={
        <Group gap="xs" wrap="nowrap">
          <Select
            size="xs"
            w={170}
            aria-label={t('timeline.filter')}
            placeholder={t('timeline.all')}
            clearable
            value={search.type ?? null}
            onChange={(type) => change({ type: type ?? undefined })}
            data={types.map((value) => ({ value, label: typeLabel(value, t) }))}
          />
          {write && (
            <Button
              size="xs"
              variant="light"
              leftSection={<Plus size={15} aria-hidden />}
              onClick={() => setAdding(true)}
            >
              {t('timeline.add')}
            </Button>
          )}
        </Group>
      }
    >
      {isAdding && <AddInteraction contactId={contactId} close={() => setAdding(false)} />}
      {list.error ? (
        <Failed error={list.error} retry={list.retry} />
      ) : (
        <Waiting for={list.isLoading ? undefined : list.rows} lines={6}>
          {list.rows.length === 0 ? (
            <Text c="dimmed" fz="sm">
              {search.type ? t('timeline.none_of_type') : t('timeline.none')}
            </Text>
          ) : (
            <ol className="timeline">
              {list.rows.map((item) => (
                <TimelineItem key={item.id} item={item} />
              ))}
            </ol>
          )}
          {list.hasMore && (
            <Center mt="sm">
              <Button variant="default" size="xs" loading={list.isLoadingMore} onClick={list.loadMore}>
                {t('table.load_more')}
              </Button>
            </Center>
          )}
        </Waiting>
      )}
    </Card>
  )
}
