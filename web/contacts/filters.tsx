// The filters of the contact list, all of them in the address.
import { Button, Group, Indicator, Popover, Select, Stack } from '@mantine/core'
import { SlidersHorizontal } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import type { Query } from '../api/client.ts'
import { KnownTagsChoice, ListChoice } from '../form/choices.tsx'
import { languages } from '../i18n/i18n.ts'
import type { UrlState } from '../table/use-url-state.ts'

export const filterNames = ['status', 'engagement_level', 'tags', 'list', 'language', 'is_active', 'deleted'] as const

const flags = new Set(['is_active', 'deleted'])

/** What the server is asked for: the filters alone, so that a bulk action can use them as they are. */
export function filterQuery(search: UrlState): Query {
  const given = ['search', ...filterNames].filter((name) => search[name])
  return Object.fromEntries(given.map((name) => [name, flags.has(name) ? search[name] === 'true' : search[name]]))
}

type FiltersProps = { search: UrlState; change: (change: UrlState) => void }

export function Filters({ search, change }: FiltersProps) {
  const { t } = useTranslation()
  const active = filterNames.filter((name) => search[name]).length
  const choose = (name: string) => (value: string | null) => change({ [name]: value ?? undefined })
  return (
    <Indicator label={active} size={18} disabled={active === 0} inline>
      <Popover width={320} position="bottom-end" trapFocus returnFocus withinPortal>
        <Popover.Target>
          <Button variant="default" leftSection={<SlidersHorizontal size={16} aria-hidden />}>
            {t('filters.title')}
            {active > 0 && <span className="visually-hidden"> ({t('filters.active', { count: active })})</span>}
          </Button>
        </Popover.Target>
        <Popover.Dropdown aria-label={t('filters.title')}>
          <Stack gap="sm">
            <Select
              label={t('columns.status')}
              placeholder={t('filters.any')}
              value={search.status ?? null}
              onChange={choose('status')}
              clearable
              comboboxProps={{ withinPortal: false }}
              data={(['active', 'unsubscribed', 'bounced', 'complained'] as const).map((value) => ({
                value,
                label: t(`status.${value}`),
              }))}
            />
            <Select
              label={t('columns.engagement')}
              placeholder={t('filters.any')}
              value={search.engagement_level ?? null}
              onChange={choose('engagement_level')}
              clearable
              comboboxProps={{ withinPortal: false }}
              data={(['low', 'medium', 'high'] as const).map((value) => ({ value, label: t(`engagement.${value}`) }))}
            />
            <KnownTagsChoice
              label={t('columns.tags')}
              value={search.tags?.split(',').filter(Boolean) ?? []}
              onChange={(tags) => change({ tags: tags.join(',') })}
              comboboxProps={{ withinPortal: false }}
            />
            <ListChoice
              label={t('filters.list')}
              placeholder={t('filters.any')}
              value={search.list ?? null}
              onChange={choose('list')}
              comboboxProps={{ withinPortal: false }}
            />
            <Select
              label={t('columns.language')}
              placeholder={t('filters.any')}
              value={search.language ?? null}
              onChange={choose('language')}
              clearable
              comboboxProps={{ withinPortal: false }}
              data={languages}
            />
            <Select
              label={t('filters.activity')}
              placeholder={t('filters.any')}
              value={search.is_active ?? null}
              onChange={choose('is_active')}
              clearable
              comboboxProps={{ withinPortal: false }}
              data={[
                { value: 'true', label: t('filters.is_active') },
                { value: 'false', label: t('filters.is_inactive') },
              ]}
            />
            <Select
              label={t('filters.deleted')}
              placeholder={t('filters.not_deleted')}
              value={search.deleted ?? null}
              onChange={choose('deleted')}
              clearable
              comboboxProps={{ withinPortal: false }}
              data={[{ value: 'true', label: t('filters.only_deleted') }]}
            />
            <Group justify="flex-end">
              <Button
                variant="subtle"
                size="compact-sm"
                disabled={active === 0}
                onClick={() => change(Object.fromEntries(filterNames.map((name) => [name, undefined])))}
              >
                {t('filters.clear')}
              </Button>
            </Group>
          </Stack>
        </Popover.Dropdown>
      </Popover>
    </Indicator>
  )
}
