import { Button, Group, Select, SimpleGrid, Stack, Switch, Textarea, TextInput } from '@mantine/core'
import { useForm } from '@mantine/form'
import { useTranslation } from 'react-i18next'
import type { ContactFields } from '../api/contacts.ts'
import type { Contact } from '../api/types.ts'
import { emptyToNull, isEmail } from '../form/checks.ts'
import { ListsChoice, TagsChoice } from '../form/choices.tsx'
import { timezones } from '../form/places.ts'
import { ProblemAlert } from '../form/problem-alert.tsx'
import { useSubmit } from '../form/use-submit.ts'
import { languages } from '../i18n/i18n.ts'
import { Card } from '../ui/card.tsx'

export type ContactValues = {
  first_name: string
  last_name: string
  email: string
  phone: string
  company: string
  job_title: string
  language: string | null
  timezone: string | null
  source: string
  notes: string
  tags: string[]
  is_active: boolean
  lists: string[]
}

type ContactFormProps = {
  contact?: Contact
  send: (fields: ContactFields) => Promise<Contact>
  done: (contact: Contact) => void | Promise<void>
  cancelHref: string
  submitLabel: string
}

export function ContactForm({ contact, send, done, cancelHref, submitLabel }: ContactFormProps) {
  const { t } = useTranslation()
  const form = useForm<ContactValues>({
    mode: 'controlled',
    initialValues: valuesOf(contact),
    validateInputOnBlur: true,
    validate: {
      // Imports and public forms may lack a first name; only a contact made by hand here must have one.
      first_name: (value) => (contact || value.trim() ? null : t('form.required')),
      email: (value) => (isEmail(value) ? null : t('form.email')),
    },
  })
  const { submit, isSending, error } = useSubmit({
    form,
    send: (values) => send(fieldsOf(values)),
    done,
  })
  return (
    <form onSubmit={submit} noValidate>
      <Stack gap="lg">
        <ProblemAlert error={error} />
        <Card title={t('contact_form.person')}>
          <SimpleGrid cols={{ base: 1, sm: 2 }}>
            <TextInput
              label={t('fields.first_name')}
              required={!contact}
              autoComplete="off"
              {...form.getInputProps('first_name')}
            />
            <TextInput label={t('fields.last_name')} autoComplete="off" {...form.getInputProps('last_name')} />
            <TextInput
              label={t('fields.email')}
              type="email"
              required
              autoComplete="off"
              {...form.getInputProps('email')}
            />
            <TextInput
              label={t('fields.phone')}
              type="tel"
              placeholder="+33 6 12 34 56 78"
              autoComplete="off"
              {...form.getInputProps('phone')}
            />
            <TextInput label={t('fields.company')} autoComplete="off" {...form.getInputProps('company')} />
            <TextInput label={t('fields.job_title')} autoComplete="off" {...form.getInputProps('job_title')} />
            <Select
              label={t('fields.language')}
              clearable
              data={withCurrent(languages, form.values.language)}
              {...form.getInputProps('language')}
            />
            <Select
              label={t('fields.timezone')}
              clearable
              searchable
              data={timezones()}
              {...form.getInputProps('timezone')}
            />
          </SimpleGrid>
        </Card>
        <Card title={t('contact_form.order')}>
          <SimpleGrid cols={{ base: 1, sm: 2 }}>
            <TagsChoice
              label={t('fields.tags')}
              description={t('contact_form.tags_hint')}
              value={form.values.tags}
              onChange={(tags) => form.setFieldValue('tags', tags)}
            />
            <ListsChoice
              label={t('fields.lists')}
              description={t('contact_form.lists_hint')}
              value={form.values.lists}
              onChange={(ids) => form.setFieldValue('lists', ids)}
            />
            <TextInput
              label={t('fields.source')}
              description={t('contact_form.source_hint')}
              {...form.getInputProps('source')}
            />
            <Switch
              mt={{ sm: 30 }}
              label={t('contact_form.is_active')}
              {...form.getInputProps('is_active', { type: 'checkbox' })}
            />
          </SimpleGrid>
          <Textarea
            mt="md"
            label={t('fields.notes')}
            autosize
            minRows={3}
            maxRows={10}
            {...form.getInputProps('notes')}
          />
        </Card>
        <Group justify="flex-end">
          <Button component="a" href={cancelHref} variant="default">
            {t('common.cancel')}
          </Button>
          <Button type="submit" loading={isSending}>
            {submitLabel}
          </Button>
        </Group>
      </Stack>
    </form>
  )
}

function valuesOf(contact: Contact | undefined): ContactValues {
  return {
    first_name: contact?.first_name ?? '',
    last_name: contact?.last_name ?? '',
    email: contact?.email ?? '',
    phone: contact?.phone ?? '',
    company: contact?.company ?? '',
    job_title: contact?.job_title ?? '',
    language: contact?.language ?? null,
    timezone: contact?.timezone ?? null,
    source: contact?.source ?? '',
    notes: contact?.notes ?? '',
    tags: contact?.tags ?? [],
    is_active: contact?.is_active ?? true,
    lists: contact?.lists.map(({ id }) => id) ?? [],
  }
}

/** Names and notes are cleared by an empty text, what may be unknown by null. */
function fieldsOf({ email, first_name, last_name, notes, language, lists, ...others }: ContactValues): ContactFields {
  return {
    email: email.trim(),
    first_name,
    last_name,
    notes,
    lists,
    ...(language ? { language } : {}),
    ...emptyToNull(others),
  }
}

/** A contact may speak a language that the interface does not; editing must not lose it. */
function withCurrent(known: { value: string; label: string }[], current: string | null) {
  return !current || known.some(({ value }) => value === current)
    ? known
    : [...known, { value: current, label: current }]
}
