// The columns a contact table can show. The name always stands first; the rest is the reader's choice, kept on this machine.
import { Anchor, Stack, Text } from '@mantine/core'
import { useLocalStorage } from '@mantine/hooks'
import type { TFunction } from 'i18next'
import { useTranslation } from 'react-i18next'
import type { Contact } from '../api/types.ts'
import { paths } from '../paths.ts'
import type { Column } from '../table/column.ts'
import { Moment } from '../ui/time.tsx'
import { Engagement, StatusBadge, Tags } from './badges.tsx'

export const columnIds = [
  'company',
  'phone',
  'job_title',
  'status',
  'engagement',
  'tags',
  'lists',
  'language',
  'source',
  'last_opened',
  'last_booking',
  'updated',
  'created',
] as const
export type ColumnId = (typeof columnIds)[number]

const usual: ColumnId[] = ['company', 'status', 'engagement', 'tags', 'last_opened', 'created']

export function useChosenColumns(): [ColumnId[], (chosen: ColumnId[]) => void] {
  const [chosen, choose] = useLocalStorage<ColumnId[]>({
    key: 'rapport-contact-columns',
    defaultValue: usual,
    getInitialValueInEffect: false,
  })
  return [columnIds.filter((id) => chosen.includes(id)), choose]
}

export function useContactColumns(chosen: ColumnId[]): Column<Contact>[] {
  const { t } = useTranslation()
  return [nameColumn(t), ...chosen.map((id) => makers[id](t))]
}

export const contactName = (contact: Contact) => contact.full_name || contact.email

function nameColumn(t: TFunction): Column<Contact> {
  return {
    id: 'name',
    header: t('columns.name'),
    sort: 'full_name',
    width: 260,
    cell: (contact) => (
      <Stack gap={0} miw={0}>
        <Anchor href={paths.contact(contact.id)} className="row-name">
          {contactName(contact)}
        </Anchor>
        {contact.full_name && (
          <Text fz="xs" c="dimmed" truncate>
            {contact.email}
          </Text>
        )}
      </Stack>
    ),
  }
}

const text = (value: string | null) => value || <span className="none">–</span>

const makers: Record<ColumnId, (t: TFunction) => Column<Contact>> = {
  company: (t) => ({
    id: 'company',
    header: t('columns.company'),
    sort: 'company',
    cell: ({ company }) => text(company),
  }),
  phone: (t) => ({ id: 'phone', header: t('columns.phone'), cell: ({ phone }) => text(phone) }),
  job_title: (t) => ({ id: 'job_title', header: t('columns.job_title'), cell: (contact) => text(contact.job_title) }),
  status: (t) => ({ id: 'status', header: t('columns.status'), cell: ({ status }) => <StatusBadge status={status} /> }),
  engagement: (t) => ({
    id: 'engagement',
    header: t('columns.engagement'),
    sort: 'engagement_score',
    cell: (contact) => <Engagement contact={contact} />,
  }),
  tags: (t) => ({ id: 'tags', header: t('columns.tags'), cell: ({ tags }) => <Tags names={tags} limit={2} /> }),
  lists: (t) => ({
    id: 'lists',
    header: t('columns.lists'),
    cell: ({ lists }) => text(lists.map(({ name }) => name).join(', ')),
  }),
  language: (t) => ({ id: 'language', header: t('columns.language'), cell: ({ language }) => text(language) }),
  source: (t) => ({ id: 'source', header: t('columns.source'), cell: ({ source }) => text(source) }),
  last_opened: (t) => ({
    id: 'last_opened',
    header: t('columns.last_opened'),
    sort: 'last_email_opened_at',
    cell: (contact) => <Moment at={contact.last_email_opened_at} />,
  }),
  last_booking: (t) => ({
    id: 'last_booking',
    header: t('columns.last_booking'),
    sort: 'last_booking_date',
    cell: (contact) => <Moment at={contact.last_booking_date} />,
  }),
  updated: (t) => ({
    id: 'updated',
    header: t('columns.updated'),
    sort: 'updated_at',
    cell: (contact) => <Moment at={contact.updated_at} />,
  }),
  created: (t) => ({
    id: 'created',
    header: t('columns.created'),
    sort: 'created_at',
    cell: (contact) => <Moment at={contact.created_at} />,
  }),
}
