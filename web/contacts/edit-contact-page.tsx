import { useParams } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { changeContact, useContact, useContactsChanged } from '../api/contacts.ts'
import { paths } from '../paths.ts'
import { useFollow } from '../shell/link-navigation.ts'
import { Page } from '../ui/page.tsx'
import { Failed } from '../ui/states.tsx'
import { toastDone } from '../ui/toasts.tsx'
import { Waiting } from '../ui/waiting.tsx'
import { contactName } from './columns.tsx'
import { ContactForm } from './contact-form.tsx'

export function EditContactPage() {
  const { t } = useTranslation()
  const { id = '' } = useParams({ strict: false }) as { id?: string }
  const follow = useFollow()
  const changed = useContactsChanged()
  const { data: contact, error, refetch } = useContact(id)
  if (error) return <Failed error={error} retry={() => void refetch()} />
  const name = contact ? contactName(contact) : t('common.loading')
  return (
    <Page title={t('contact_form.edit', { name })} back={{ href: paths.contact(id), label: name }} width="reading">
      <Waiting for={contact} lines={8}>
        {contact && (
          <ContactForm
            contact={contact}
            submitLabel={t('common.save')}
            cancelHref={paths.contact(id)}
            send={(fields) => changeContact(contact, fields)}
            done={async () => {
              await changed()
              toastDone(t('common.saved'))
              follow(paths.contact(id))
            }}
          />
        )}
      </Waiting>
    </Page>
  )
}
