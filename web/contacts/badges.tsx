import { Badge, Group, Tooltip } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { allTagsQuery } from '../api/contacts.ts'
import type { Contact, ContactStatus, EngagementLevel } from '../api/types.ts'
import { useNumbers } from '../ui/number.ts'
import { Swatch } from '../ui/swatch.tsx'

const statusColors: Record<ContactStatus, string> = {
  active: 'pine',
  unsubscribed: 'gray',
  bounced: 'orange',
  complained: 'red',
}

export function StatusBadge({ status }: { status: ContactStatus }) {
  const { t } = useTranslation()
  return (
    <Badge color={statusColors[status]} className="badge">
      {t(`status.${status}`)}
    </Badge>
  )
}

const bars: Record<EngagementLevel, number> = { low: 1, medium: 2, high: 3 }

/** The score with its band as bars, so that the band is told by shape and word, not by colour alone. */
export function Engagement({ contact }: { contact: Pick<Contact, 'engagement_score' | 'engagement_level'> }) {
  const { t } = useTranslation()
  const numbers = useNumbers()
  const level = contact.engagement_level
  return (
    <Tooltip label={t(`engagement.${level}`)}>
      <span className="engagement">
        <span className="engagement-bars" aria-hidden>
          {[1, 2, 3].map((bar) => (
            <i key={bar} data-on={bar <= bars[level] || undefined} />
          ))}
        </span>
        {numbers.decimal(contact.engagement_score)}
        <span className="visually-hidden">, {t(`engagement.${level}`)}</span>
      </span>
    </Tooltip>
  )
}

export function Tags({ names, limit = 3 }: { names: string[]; limit?: number }) {
  const tags = useQuery(allTagsQuery)
  if (names.length === 0) return <span className="none">–</span>
  const shown = names.slice(0, limit)
  return (
    <Group gap={4} component="span">
      {shown.map((name) => (
        <span key={name} className="tag">
          <Swatch color={tags.data?.find((tag) => tag.name === name)?.color} size={8} />
          {name}
        </span>
      ))}
      {names.length > limit && (
        <Tooltip label={names.slice(limit).join(', ')}>
          <span className="tag">+{names.length - limit}</span>
        </Tooltip>
      )}
    </Group>
  )
}
