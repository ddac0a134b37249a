/** Shapes of a campaign at the door, as document 2 names its fields. */
import { Type, type Static } from 'typebox'
import {
  Closed,
  Email,
  Id,
  JsonObject,
  NullableInteger,
  NullableText,
  NullableTimestamp,
  OneOf,
  Text,
  TextOrNull,
  Timestamp,
} from '#platform/http/shapes.ts'
import { Audience } from '#modules/contacts/index.ts'
import { campaignStatuses, channelTypes, deliveryStates } from './tables.ts'

const Money = Type.Unsafe<string | null>({
  type: ['string', 'null'],
  pattern: '^\\d{1,12}(\\.\\d{1,2})?$',
  description: 'Decimal, such as "120.50"',
})

/** What an e-mail channel is configured with; other channels keep theirs as they come. */
export const EmailConfig = Closed({
  subject: Type.Optional(Text(300)),
  preheader: Type.Optional(Text(300)),
  from_email: Type.Optional(Email),
  from_name: Type.Optional(Text(120)),
  reply_to: Type.Optional(Email),
  text_template: Type.Optional(Text(500_000)),
  template_id: Type.Optional(Id),
  connection_id: Type.Optional(Id),
  data: Type.Optional(JsonObject),
})
export type EmailConfig = Static<typeof EmailConfig>

const Schedule = Closed({
  send_at: Type.Optional(Type.Unsafe<string | null>({ type: ['string', 'null'], format: 'date-time' })),
  timezone: Type.Optional(TextOrNull(64)),
})

export const ChannelInput = Closed({
  type: OneOf(channelTypes),
  config: Type.Optional(EmailConfig),
  content_template: Type.Optional(Text(500_000)),
  schedule: Type.Optional(Schedule),
})
export type ChannelInput = Static<typeof ChannelInput>

const writable = {
  name: Text(200, { minLength: 1 }),
  description: Text(5_000),
  category: OneOf(['marketing', 'newsletter', 'transactional'], { description: 'Whose consent counts' }),
  start_date: Type.Unsafe<string | null>({ type: ['string', 'null'], format: 'date-time' }),
  end_date: Type.Unsafe<string | null>({ type: ['string', 'null'], format: 'date-time' }),
  target_audience: Audience,
  budget: Money,
  success_metrics: JsonObject,
  channels: Type.Array(ChannelInput, { maxItems: 10 }),
}

export const CampaignPatch = Type.Partial(Type.Object(writable), { additionalProperties: false, minProperties: 1 })
export type CampaignPatch = Static<typeof CampaignPatch>
export const CampaignInput = Type.Object(
  { ...CampaignPatch.properties, name: writable.name },
  { additionalProperties: false },
)
export type CampaignInput = Static<typeof CampaignInput>

export const countNames = [
  'total',
  ...deliveryStates,
  'opened',
  'opened_machine',
  'clicked',
  'clicked_machine',
  'unsubscribed',
] as const
/** Deliveries by state, and people by what they did; every name is there. */
export type Counts = Record<(typeof countNames)[number], number>

const Counts = Type.Unsafe<Counts>({
  type: 'object',
  properties: Object.fromEntries(countNames.map((name) => [name, { type: 'integer' }])),
  required: [...countNames],
})

export const CampaignView = Type.Object(
  {
    id: Id,
    name: Type.String(),
    description: Type.String(),
    category: Type.String(),
    status: OneOf(campaignStatuses),
    start_date: NullableTimestamp,
    end_date: NullableTimestamp,
    target_audience: JsonObject,
    budget: NullableText,
    success_metrics: JsonObject,
    channels: Type.Array(
      Type.Object({
        type: Type.String(),
        config: JsonObject,
        content_template: Type.String(),
        schedule: JsonObject,
        analytics: JsonObject,
      }),
    ),
    scheduled_at: NullableTimestamp,
    timezone: NullableText,
    launched_at: NullableTimestamp,
    completed_at: NullableTimestamp,
    pause_reason: NullableText,
    audience_size: NullableInteger,
    counts: Counts,
    can: Type.Unsafe<Record<string, boolean>>({ type: 'object', additionalProperties: { type: 'boolean' } }),
    created_at: Timestamp,
    updated_at: Timestamp,
  },
  { $id: 'Campaign' },
)

export const DeliveryView = Type.Object({
  id: Id,
  contact_id: Id,
  email: Type.String(),
  full_name: Type.String(),
  state: OneOf(deliveryStates),
  reason: NullableText,
  code: NullableInteger,
  response: NullableText,
  attempts: Type.Integer(),
  ambiguous: Type.Integer({ description: 'Hand-overs whose answer never came' }),
  next_attempt_at: NullableTimestamp,
  handed_over_at: NullableTimestamp,
  sent_at: NullableTimestamp,
  opened_at: NullableTimestamp,
  clicked_at: NullableTimestamp,
  unsubscribed_at: NullableTimestamp,
  bounce_kind: Type.Unsafe<string | null>({
    type: ['string', 'null'],
    description: 'What came back after it was sent: hard, full, policy or soft. Only hard keeps later mails back.',
  }),
  bounce_response: NullableText,
  bounced_at: NullableTimestamp,
  complained_at: NullableTimestamp,
  opens: Type.Integer(),
  opens_machine: Type.Integer(),
  clicks: Type.Integer(),
  clicks_machine: Type.Integer(),
  message_id: NullableText,
})
