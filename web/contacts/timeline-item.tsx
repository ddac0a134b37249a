import { Anchor, Text } from '@mantine/core'
import {
  CalendarCheck,
  CalendarCheck2,
  CalendarClock,
  CalendarPlus,
  CalendarX,
  CalendarX2,
  ClipboardCheck,
  Eye,
  FileInput,
  ListMinus,
  ListPlus,
  type LucideIcon,
  Mail,
  MailCheck,
  MailWarning,
  MailX,
  Merge,
  MousePointerClick,
  NotebookPen,
  PenLine,
  RotateCcw,
  ShoppingBag,
  Sparkles,
  Split,
  Tag,
  TicketCheck,
  TicketPlus,
  TicketX,
  Undo2,
  UserCheck,
  UserPen,
  UserPlus,
  UserX,
} from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { en } from '../i18n/en.ts'
import type { Interaction } from '../api/types.ts'
import { paths } from '../paths.ts'
import { Moment } from '../ui/time.tsx'

export type InteractionType = keyof typeof en.interaction

const icons: Partial<Record<string, LucideIcon>> = {
  booking_created: CalendarPlus,
  booking_completed: CalendarCheck,
  booking_cancelled: CalendarX,
  email_sent: Mail,
  email_opened: Eye,
  email_clicked: MousePointerClick,
  note_added: NotebookPen,
  manual_entry: PenLine,
  email_bounced: MailWarning,
  email_complained: MailWarning,
  form_submitted: ClipboardCheck,
  purchase: ShoppingBag,
  subscribed: MailCheck,
  unsubscribed: MailX,
  imported: FileInput,
  contact_created: UserPlus,
  contact_updated: UserPen,
  contact_deleted: UserX,
  contact_restored: UserCheck,
  contact_merged: Merge,
  contact_unmerged: Split,
  tag_added: Tag,
  tag_removed: Tag,
  list_added: ListPlus,
  list_removed: ListMinus,
  order_returned: Undo2,
  appointment_created: CalendarClock,
  appointment_completed: CalendarCheck2,
  appointment_cancelled: CalendarX2,
  ticket_created: TicketPlus,
  ticket_resolved: TicketCheck,
  ticket_closed: TicketX,
  ticket_reopened: RotateCcw,
} satisfies Record<InteractionType, LucideIcon>

type TimelineItemProps = { item: Interaction; withContact?: boolean }

export function TimelineItem({ item, withContact = false }: TimelineItemProps) {
  const { t } = useTranslation()
  const Icon = icons[item.interaction_type] ?? Sparkles
  return (
    <li className="timeline-item">
      <span className="timeline-icon" aria-hidden>
        <Icon size={15} strokeWidth={1.9} />
      </span>
      <div className="timeline-body">
        <div className="timeline-head">
          <Text fz="sm" fw={600} component="span">
            {typeLabel(item.interaction_type, t)}
          </Text>
          {withContact && item.contact_id && (
            <Anchor href={paths.contact(item.contact_id)} fz="sm">
              {item.contact_name ?? t('timeline.contact')}
            </Anchor>
          )}
          <Text fz="xs" c="dimmed" component="span" className="timeline-when">
            <Moment at={item.occurred_at} />
          </Text>
        </div>
        {item.description && (
          <Text fz="sm" className="timeline-text">
            {item.description}
          </Text>
        )}
        {item.is_hidden && (
          <Text fz="sm" c="dimmed" className="timeline-text">
            {t('timeline.hidden_ticket')}
          </Text>
        )}
        {item.campaign_id && (
          <Anchor href={paths.campaign(item.campaign_id)} fz="xs">
            {t('timeline.campaign')}
          </Anchor>
        )}
      </div>
    </li>
  )
}

/** A type that a later server adds shows its own name, made readable. */
export function typeLabel(type: string, t: (key: `interaction.${InteractionType}`) => string): string {
  if (Object.hasOwn(en.interaction, type)) return t(`interaction.${type as InteractionType}`)
  const words = type.replaceAll(/[._]/g, ' ')
  return words.charAt(0).toUpperCase() + words.slice(1)
}
