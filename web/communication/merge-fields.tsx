import { Button, Menu } from '@mantine/core'
import { Braces } from 'lucide-react'
import { useTranslation } from 'react-i18next'

const fields = ['first_name', 'last_name', 'full_name', 'email', 'company', 'job_title', 'phone', 'language'] as const

/** Puts a contact's field, or the link that every campaign needs, where the cursor is. */
export function MergeFields({ insert }: { insert: (text: string) => void }) {
  const { t } = useTranslation()
  return (
    <Menu position="bottom-end" width={260}>
      <Menu.Target>
        <Button size="xs" variant="default" leftSection={<Braces size={15} aria-hidden />}>
          {t('content.insert')}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{t('content.contact_fields')}</Menu.Label>
        {fields.map((field) => (
          <Menu.Item key={field} onClick={() => insert(`{{contact.${field}}}`)}>
            {t(`fields.${field}`)}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Label>{t('content.links')}</Menu.Label>
        <Menu.Item onClick={() => insert(`<a href="{{unsubscribe_url}}">${t('content.unsubscribe')}</a>`)}>
          {t('content.unsubscribe_link')}
        </Menu.Item>
        <Menu.Item onClick={() => insert(`<a href="{{preferences_url}}">${t('content.preferences')}</a>`)}>
          {t('content.preferences_link')}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}
