import { Alert, Anchor, Button, Group, Stack } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useLocation, useParams } from '@tanstack/react-router'
import { Pencil, Trash2, Undo2 } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { deleteContact, restoreContact, useContact, useContactsChanged } from '../api/contacts.ts'
import { explain } from '../api/explain.ts'
import { useAbilities, useSession } from '../api/session.ts'
import type { Contact } from '../api/types.ts'
import { paths } from '../paths.ts'
import { useFollow } from '../shell/link-navigation.ts'
import { Card } from '../ui/card.tsx'
import { Fact, Facts } from '../ui/facts.tsx'
import { useNumbers } from '../ui/number.ts'
import { Page } from '../ui/page.tsx'
import { Failed } from '../ui/states.tsx'
import { Moment } from '../ui/time.tsx'
import { toastDone, toastProblem } from '../ui/toasts.tsx'
import { Waiting } from '../ui/waiting.tsx'
import { Engagement, StatusBadge, Tags } from './badges.tsx'
import { contactName } from './columns.tsx'
import { Consents } from './consents.tsx'
import { Notes } from './notes.tsx'
import { Timeline } from './timeline.tsx'

export function ContactPage() {
  const { t } = useTranslation()
  const { id = '' } = useParams({ strict: false }) as { id?: string }
  const startAdding = useLocation({ select: ({ pathname }) => pathname.endsWith('/interactions/add') })
  const { data: contact, error, refetch } = useContact(id)
  const back = { href: paths.contacts(), label: t('nav.contacts') }
  if (error)
    return (
      <Page title={t('nav.contacts')} back={back}>
        {<Failed error={error} retry={() => void refetch()} />}
      </Page>
    )
  return (
    <Page
      key={id}
      title={contact ? contactName(contact) : t('common.loading')}
      back={back}
      lead={contact && <Subtitle contact={contact} />}
      actions={contact && <Actions contact={contact} />}
    >
      <Waiting for={contact} lines={10}>
        {contact && (
          <div className="columns">
            <Stack gap="lg" className="columns-main">
              {contact.deleted_at && <Alert color="orange">{t('contact.deleted_notice')}</Alert>}
              <Figures contact={contact} />
              <Timeline contactId={id} startAdding={startAdding} />
            </Stack>
            <Stack gap="lg" className="columns-side">
              <Details contact={contact} />
              <Consents contact={contact} />
              <Notes contactId={id} />
            </Stack>
          </div>
        )}
      </Waiting>
    </Page>
  )
}

function Subtitle({ contact }: { contact: Contact }) {
  return (
    <Group gap="xs">
      <StatusBadge status={contact.status} />
      <span>{[contact.job_title, contact.company].filter(Boolean).join(', ')}</span>
    </Group>
  )
}

function Actions({ contact }: { contact: Contact }) {
  const { t } = useTranslation()
  const { write } = useAbilities()
  const follow = useFollow()
  const changed = useContactsChanged()
  const complain = (error: unknown) => toastProblem(explain(error, t))
  const restore = useMutation({ mutationFn: () => restoreContact(contact.id), onSuccess: changed, onError: complain })
  const drop = useMutation({
    mutationFn: () => deleteContact(contact),
    onSuccess: async () => {
      follow(paths.contacts())
      toastDone(t('contact.deleted', { name: contactName(contact) }), {
        label: t('common.undo'),
        run: () => restore.mutate(),
      })
      await changed()
    },
    onError: complain,
  })
  if (!write) return null
  if (contact.deleted_at) {
    return (
      <Button
        leftSection={<Undo2 size={16} aria-hidden />}
        loading={restore.isPending}
        onClick={() => restore.mutate()}
      >
        {t('contact.restore')}
      </Button>
    )
  }
  return (
    <>
      <Button
        variant="default"
        leftSection={<Trash2 size={16} aria-hidden />}
        loading={drop.isPending}
        onClick={() => drop.mutate()}
      >
        {t('common.delete')}
      </Button>
      <Button component="a" href={paths.editContact(contact.id)} leftSection={<Pencil size={16} aria-hidden />}>
        {t('common.edit')}
      </Button>
    </>
  )
}

function Figures({ contact }: { contact: Contact }) {
  const { t } = useTranslation()
  const numbers = useNumbers()
  const { workspace } = useSession()
  return (
    <Card title={t('contact.engagement')}>
      <Facts>
        <Fact name={t('columns.engagement')}>
          <Engagement contact={contact} />
        </Fact>
        <Fact name={t('contact.opened')}>{numbers.count(contact.total_emails_opened)}</Fact>
        <Fact name={t('contact.clicked')}>{numbers.count(contact.total_emails_clicked)}</Fact>
        <Fact name={t('columns.last_opened')}>
          <Moment at={contact.last_email_opened_at} />
        </Fact>
        <Fact name={t('contact.last_clicked')}>
          <Moment at={contact.last_email_clicked_at} />
        </Fact>
        <Fact name={t('contact.orders')}>{numbers.count(contact.total_orders)}</Fact>
        <Fact name={t('contact.bookings')}>{numbers.count(contact.total_bookings)}</Fact>
        <Fact name={t('contact.value')}>{numbers.money(contact.lifetime_value, workspace.currency ?? 'EUR')}</Fact>
      </Facts>
    </Card>
  )
}

function Details({ contact }: { contact: Contact }) {
  const { t } = useTranslation()
  const lists = contact.lists.map(({ id, name }) => (
    <div key={id}>
      <Anchor href={paths.list(id)} fz="sm">
        {name}
      </Anchor>
    </div>
  ))
  const custom = Object.entries(contact.custom_fields ?? {}).map(([name, value]): [string, string] => [
    name,
    printable(value),
  ])
  return (
    <Card title={t('contact.details')}>
      <Facts>
        <Fact name={t('fields.email')}>
          <Anchor href={`mailto:${contact.email}`}>{contact.email}</Anchor>
        </Fact>
        <Fact name={t('fields.phone')}>
          {contact.phone && <Anchor href={`tel:${contact.phone}`}>{contact.phone}</Anchor>}
        </Fact>
        <Fact name={t('fields.company')}>{contact.company}</Fact>
        <Fact name={t('fields.job_title')}>{contact.job_title}</Fact>
        <Fact name={t('fields.language')}>{contact.language}</Fact>
        <Fact name={t('fields.timezone')}>{contact.timezone}</Fact>
        <Fact name={t('fields.source')}>{contact.source && readable(contact.source)}</Fact>
        <Fact name={t('fields.tags')}>{contact.tags.length > 0 && <Tags names={contact.tags} limit={20} />}</Fact>
        <Fact name={t('fields.lists')}>{lists.length > 0 && lists}</Fact>
        {custom.map(([name, value]) => (
          <Fact key={name} name={readable(name)}>
            {value}
          </Fact>
        ))}
        <Fact name={t('columns.created')}>
          <Moment at={contact.created_at} />
        </Fact>
        <Fact name={t('columns.updated')}>
          <Moment at={contact.updated_at} />
        </Fact>
        {contact.notes && <Fact name={t('fields.notes')}>{contact.notes}</Fact>}
      </Facts>
    </Card>
  )
}

/** Keys such as `walk_in`, as words. */
const readable = (key: string): string => {
  const words = key.replaceAll('_', ' ')
  return words.charAt(0).toUpperCase() + words.slice(1)
}

const printable = (value: unknown): string => (typeof value === 'object' ? JSON.stringify(value) : String(value))
