import { useTranslation } from 'react-i18next'
import { createContact, useContactsChanged } from '../api/contacts.ts'
import { paths } from '../paths.ts'
import { useFollow } from '../shell/link-navigation.ts'
import { Page } from '../ui/page.tsx'
import { toastDone } from '../ui/toasts.tsx'
import { contactName } from './columns.tsx'
import { ContactForm } from './contact-form.tsx'

export function NewContactPage() {
  const { t } = useTranslation()
  const follow = useFollow()
  const changed = useContactsChanged()
  return (
    <Page title={t('contacts.new')} back={{ href: paths.contacts(), label: t('nav.contacts') }} width="reading">
      <ContactForm
        submitLabel={t('contact_form.create')}
        cancelHref={paths.contacts()}
        send={createContact}
        done={async (contact) => {
          await changed()
          toastDone(t('contact_form.created', { name: contactName(contact) }))
          follow(paths.contact(contact.id))
        }}
      />
    </Page>
  )
}
