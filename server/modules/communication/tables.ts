/** Row types of the schema `communication`. */
import type { ColumnType, Generated, Selectable } from 'kysely'
import type { GeneratedTime, NullableText, NullableTime } from '#platform/db/tables.ts'

export const campaignStatuses = ['draft', 'scheduled', 'active', 'paused', 'completed', 'canceled'] as const
export type CampaignStatus = (typeof campaignStatuses)[number]
export type Category = 'marketing' | 'newsletter' | 'transactional'
export const channelTypes = ['email', 'sms', 'social_media', 'web'] as const
export type ChannelType = (typeof channelTypes)[number]

export interface CampaignTable {
  workspace_id: string
  id: string
  name: string
  description: Generated<string>
  category: Generated<Category>
  status: Generated<CampaignStatus>
  start_date: NullableTime
  end_date: NullableTime
  target_audience: ColumnType<Record<string, unknown>, string, string>
  budget: NullableText
  success_metrics: ColumnType<Record<string, unknown>, string | undefined, string>
  scheduled_at: NullableTime
  timezone: NullableText
  launched_at: NullableTime
  frozen_at: NullableTime
  completed_at: NullableTime
  pause_reason: NullableText
  created_by: NullableText
  version: Generated<number>
  created_at: GeneratedTime
  updated_at: GeneratedTime
  deleted_at: NullableTime
}
export type Campaign = Selectable<CampaignTable>

export interface ChannelTable {
  workspace_id: string
  campaign_id: string
  number: number
  type: ChannelType
  config: ColumnType<Record<string, unknown>, string, string>
  content_template: Generated<string>
  schedule: ColumnType<Record<string, unknown>, string | undefined, string>
}
export type Channel = Selectable<ChannelTable>

export const deliveryStates = ['queued', 'claimed', 'handed_over', 'sent', 'retry', 'failed', 'skipped'] as const
export type DeliveryState = (typeof deliveryStates)[number]

export interface DeliveryTable {
  workspace_id: string
  campaign_id: string
  contact_id: string
  id: string
  email: string
  full_name: Generated<string>
  domain: string
  state: Generated<DeliveryState>
  reason: NullableText
  code: ColumnType<number | null, number | null | undefined, number | null>
  response: NullableText
  attempts: Generated<number>
  /** Hand-overs whose answer never came: the mail may have arrived more than once. */
  ambiguous: Generated<number>
  claim: NullableText
  lease_until: NullableTime
  next_attempt_at: NullableTime
  message_id: NullableText
  tracked: Generated<boolean>
  created_at: GeneratedTime
  handed_over_at: NullableTime
  sent_at: NullableTime
  settled_at: NullableTime
  opens: Generated<number>
  opens_machine: Generated<number>
  opened_at: NullableTime
  clicks: Generated<number>
  clicks_machine: Generated<number>
  clicked_at: NullableTime
  unsubscribed_at: NullableTime
  /** What came back later: only `hard` says that the mailbox does not exist. */
  bounce_kind: ColumnType<'hard' | 'full' | 'policy' | 'soft' | null, string | null | undefined, string | null>
  bounce_response: NullableText
  bounced_at: NullableTime
  complained_at: NullableTime
}
export type Delivery = Selectable<DeliveryTable>

declare module '#platform/db/tables.ts' {
  interface Tables {
    'communication.campaigns': CampaignTable
    'communication.campaign_channels': ChannelTable
    'communication.sending': { workspace_id: string; campaign_id: string; not_before: GeneratedTime }
    'communication.deliveries': DeliveryTable
    'communication.links': {
      workspace_id: string
      campaign_id: string
      number: number
      url: string
      clicks: Generated<number>
      clicks_machine: Generated<number>
      unique_clicks: Generated<number>
    }
    'communication.link_clicks': {
      workspace_id: string
      campaign_id: string
      number: number
      contact_id: string
      first_at: Date
      clicks: Generated<number>
      clicks_machine: Generated<number>
    }
    'communication.buckets': { workspace_id: string; key: string; tokens: number; filled_at: Date }
  }
}
