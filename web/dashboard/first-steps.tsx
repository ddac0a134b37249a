import { Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { ArrowRight, Check } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { allTemplatesQuery, recentCampaignsQuery } from '../api/communication.ts'
import { useAbilities } from '../api/session.ts'
import { paths } from '../paths.ts'
import { Card } from '../ui/card.tsx'

/** What to do in a new workspace; it leaves by itself once the first campaign has been sent. */
export function FirstSteps({ contacts }: { contacts: number | undefined }) {
  const { t } = useTranslation()
  const { campaigns: may } = useAbilities()
  const templates = useQuery(allTemplatesQuery)
  const campaigns = useQuery(recentCampaignsQuery)
  if (!may || contacts === undefined || !templates.data || !campaigns.data) return null
  const sent = campaigns.data.data.some(({ status }) => status !== 'draft')
  if (sent && contacts > 0) return null
  const steps = [
    { id: 'contacts', done: contacts > 0, href: paths.importContacts() },
    { id: 'template', done: templates.data.length > 0, href: paths.newTemplate() },
    { id: 'campaign', done: sent, href: paths.newCampaign() },
    { id: 'inbox', done: false, href: paths.sandbox() },
  ] as const
  return (
    <Card title={t('first.title')}>
      <ol className="steps">
        {steps.map(({ id, done, href }, index) => (
          <li key={id} data-done={done || undefined}>
            <span className="steps-mark" aria-hidden>
              {done ? <Check size={16} /> : index + 1}
            </span>
            <div>
              <a href={href} className="steps-link">
                {t(`first.${id}`)}
                {done && <span className="visually-hidden"> ({t('first.done')})</span>}
              </a>
              <Text fz="sm" c="dimmed">
                {t(`first.${id}_text`)}
              </Text>
            </div>
            <ArrowRight size={18} className="steps-arrow" aria-hidden />
          </li>
        ))}
      </ol>
    </Card>
  )
}
