// What the composer edits, and how it stands in the campaign's one e-mail channel.
import type { CampaignFields } from '../api/communication.ts'
import type { Audience, Campaign, Category, Channel } from '../api/types.ts'
import { ownTimezone } from '../form/places.ts'

export type CampaignDraft = {
  name: string
  subject: string
  fromName: string
  fromEmail: string
  html: string
  text: string
  category: Category
  everybody: boolean
  listIds: string[]
  tags: string[]
  /** Wall time in `timezone`, `YYYY-MM-DD HH:mm:ss`; null sends at launch. */
  sendAt: string | null
  timezone: string
}

export function draftOf(campaign: Campaign): CampaignDraft {
  const channel = campaign.channels.find(({ type }) => type === 'email')
  const timezone = channel?.schedule?.timezone ?? ownTimezone()
  const sendAt = channel?.schedule?.send_at
  return {
    name: campaign.name,
    subject: channel?.config.subject ?? '',
    fromName: channel?.config.from_name ?? '',
    fromEmail: channel?.config.from_email ?? '',
    html: channel?.content_template ?? '',
    text: channel?.config.text_template ?? '',
    category: campaign.category,
    everybody: campaign.target_audience.filter !== undefined,
    listIds: campaign.target_audience.list_ids ?? [],
    tags: campaign.target_audience.tags ?? [],
    sendAt: sendAt ? wallTime(sendAt, timezone) : null,
    timezone,
  }
}

export function channelOf(draft: CampaignDraft): Channel {
  return {
    type: 'email',
    config: {
      subject: draft.subject,
      ...(draft.fromName.trim() ? { from_name: draft.fromName.trim() } : {}),
      ...(draft.text.trim() ? { text_template: draft.text } : {}),
      ...(draft.fromEmail.trim() ? { from_email: draft.fromEmail.trim() } : {}),
    },
    content_template: draft.html,
    ...(draft.sendAt ? { schedule: { send_at: instant(draft.sendAt, draft.timezone), timezone: draft.timezone } } : {}),
  }
}

/** Everybody is said by a filter of its own: an audience without lists and tags is only one not chosen yet. */
export function audienceOf(draft: CampaignDraft): Audience {
  return draft.everybody ? { filter: { is_active: true } } : { list_ids: draft.listIds, tags: draft.tags }
}

export function fieldsOf(draft: CampaignDraft): CampaignFields {
  return {
    name: draft.name.trim(),
    category: draft.category,
    target_audience: audienceOf(draft),
    channels: [channelOf(draft)],
  }
}

export type Missing = 'subject' | 'audience' | 'content' | 'past'

/** What still stands between a draft and its launch. */
export function missingIn(draft: CampaignDraft, now = Date.now()): Missing[] {
  const missing: Missing[] = []
  if (!draft.subject.trim()) missing.push('subject')
  if (!draft.everybody && draft.listIds.length + draft.tags.length === 0) missing.push('audience')
  if (!draft.html.trim()) missing.push('content')
  if (draft.sendAt && Date.parse(instant(draft.sendAt, draft.timezone)) < now) missing.push('past')
  return missing
}

/** The instant that a clock on the wall of a time zone shows as `wall`; a wall time that a zone skips moves forward. */
export function instant(wall: string, timezone: string): string {
  const asUtc = Date.parse(`${wall.replace(' ', 'T')}Z`)
  // The offset is taken at the guess and then at the result, which settles every case but the hour that exists twice.
  const first = asUtc - offsetAt(asUtc, timezone)
  return new Date(asUtc - offsetAt(first, timezone)).toISOString()
}

export function wallTime(moment: string, timezone: string): string {
  const at = Date.parse(moment)
  return new Date(at + offsetAt(at, timezone)).toISOString().slice(0, 19).replace('T', ' ')
}

function offsetAt(at: number, timezone: string): number {
  const format = new Intl.DateTimeFormat('en-US', { timeZone: timezone, timeZoneName: 'longOffset' })
  const name = format.formatToParts(at).find(({ type }) => type === 'timeZoneName')?.value ?? 'GMT'
  const match = /GMT([+-])(\d{2}):(\d{2})/.exec(name)
  if (!match) return 0
  const minutes = Number(match[2]) * 60 + Number(match[3])
  return (match[1] === '-' ? -minutes : minutes) * 60_000
}
