/** The doors of campaigns: writing them, sending them, and asking who got what. */
import { sql } from 'kysely'
import { Type } from 'typebox'
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { afterCursor, countRows, orderBy, page, parseSort, type SortColumn } from '#platform/http/paging.ts'
import { accepted, created, record, Reply, route } from '#platform/http/route.ts'
import { Closed, Email, Id, Message, OneOf, Page, pageQuery, Problem } from '#platform/http/shapes.ts'
import type { Services } from '#platform/services.ts'
import { Audience, checkAudience } from '#modules/contacts/index.ts'
import { measureAudience } from './audience-size.ts'
import {
  cancelCampaign,
  channelsOf,
  createCampaign,
  deleteCampaign,
  duplicateCampaign,
  getCampaign,
  launchCampaign,
  pauseCampaign,
  restoreCampaign,
  resumeCampaign,
  sendToRest,
  updateCampaign,
  type WholeCampaign,
} from './campaigns.ts'
import { CampaignInput, CampaignPatch, CampaignView, ChannelInput, DeliveryView } from './campaign-shapes.ts'
import { viewCampaign } from './campaign-view.ts'
import { countDeliveries, listDeliveries, listLinks } from './deliveries.ts'
import { previewCampaign, sendTest } from './preview.ts'
import { campaignStatuses, deliveryStates, type Campaign } from './tables.ts'

const params = Closed({ id: Id })
const changed = { 200: CampaignView, 404: Problem, 409: Problem, 412: Problem }

async function view(tx: Tx, actor: Actor, services: Services, whole: WholeCampaign) {
  const counts = await countDeliveries(tx, [whole.campaign.id])
  return viewCampaign(whole, counts.get(whole.campaign.id)!, actor, services)
}

const sorts: Record<string, SortColumn> = {
  created_at: { expression: sql`created_at`, type: 'timestamptz' },
  updated_at: { expression: sql`updated_at`, type: 'timestamptz' },
  name: { expression: sql`lower(name)`, type: 'text' },
}

const list = route({
  method: 'GET',
  path: '/communication/campaigns',
  may: 'communication.read',
  summary: 'Campaigns with their figures',
  query: Closed({
    ...pageQuery,
    status: Type.Optional(OneOf(campaignStatuses)),
    search: Type.Optional(Type.String({ maxLength: 200 })),
    sort: Type.Optional(Type.String({ maxLength: 50 })),
  }),
  replies: { 200: Page(CampaignView) },
  run: async ({ tx, actor, services, query }) => {
    const sort = parseSort(query.sort, sorts, '-created_at')
    const limit = query.limit ?? 50
    const from = sql`from communication.campaigns where deleted_at is null
      ${query.status ? sql`and status = ${query.status}` : sql``}
      ${query.search ? sql`and position(platform.fold(${query.search}) in platform.fold(name)) > 0` : sql``}`
    const after = afterCursor(query.cursor, sort, sql`id`)
    const { rows } = await sql<Campaign & { sort_key: string }>`
      select *, (${sort.column.expression})::text as sort_key ${from} ${after ? sql`and ${after}` : sql``}
      order by ${orderBy(sort, sql`id`)} limit ${limit + 1}`.execute(tx.sql)
    const ids = rows.map((row) => row.id)
    const channels = Map.groupBy(ids.length ? await channelsOf(tx, ids) : [], (channel) => channel.campaign_id)
    const counts = await countDeliveries(tx, ids)
    const total = await countRows(tx, from, query.count === 'exact')
    const shown = page(rows, limit, sort, ({ sort_key: _k, ...campaign }) =>
      viewCampaign({ campaign, channels: channels.get(campaign.id) ?? [] }, counts.get(campaign.id)!, actor, services),
    )
    return { ...shown, total }
  },
})

const create = route({
  method: 'POST',
  path: '/communication/campaigns',
  may: 'communication.write',
  summary: 'Write a campaign; it starts as a draft',
  body: CampaignInput,
  replies: { 201: CampaignView },
  run: async ({ tx, actor, services, body }) => {
    const whole = await createCampaign(tx, actor, body)
    return created(
      await view(tx, actor, services, whole),
      `/communication/campaigns/${whole.campaign.id}`,
      whole.campaign.version,
    )
  },
})

const show = route({
  method: 'GET',
  path: '/communication/campaigns/:id',
  may: 'communication.read',
  summary: 'One campaign with counts per state of its deliveries',
  params,
  replies: { 200: CampaignView, 404: Problem },
  run: async ({ tx, actor, services, params: { id } }) => {
    const whole = await getCampaign(tx, id)
    return record(await view(tx, actor, services, whole), whole.campaign.version)
  },
})

const updates = (['PUT', 'PATCH'] as const).map((method) =>
  route({
    method,
    path: '/communication/campaigns/:id',
    may: 'communication.write',
    summary: 'Change a draft or a scheduled campaign; fields that are left out stay',
    params,
    body: CampaignPatch,
    replies: changed,
    run: async ({ tx, actor, services, params: { id }, body, ifVersion }) => {
      const whole = await updateCampaign(tx, actor, id, body, ifVersion)
      return record(await view(tx, actor, services, whole), whole.campaign.version)
    },
  }),
)

const remove = route({
  method: 'DELETE',
  path: '/communication/campaigns/:id',
  may: 'communication.write',
  summary: 'Delete a campaign that is not being sent; it can be restored',
  params,
  replies: { 200: Message, 404: Problem, 409: Problem },
  run: async ({ tx, actor, params: { id }, ifVersion }) => {
    await deleteCampaign(tx, actor, id, ifVersion)
    return { message: 'The campaign was deleted.' }
  },
})

/** A change of status that takes nothing but the campaign. */
function move(
  name: string,
  summary: string,
  run: (tx: Tx, actor: Actor, id: string) => Promise<WholeCampaign>,
  may = 'communication.send',
) {
  return route({
    method: 'POST',
    path: `/communication/campaigns/:id/${name}`,
    may,
    summary,
    params,
    replies: changed,
    run: async ({ tx, actor, services, params: { id } }) => {
      const whole = await run(tx, actor, id)
      return record(await view(tx, actor, services, whole), whole.campaign.version)
    },
  })
}

const launch = route({
  method: 'POST',
  path: '/communication/campaigns/:id/launch',
  may: 'communication.send',
  summary: 'Send now, or at send_at',
  params,
  body: Type.Optional(
    Closed({
      send_at: Type.Optional(Type.Unsafe<string | null>({ type: ['string', 'null'], format: 'date-time' })),
      timezone: Type.Optional(Type.Unsafe<string | null>({ type: ['string', 'null'], maxLength: 64 })),
    }),
  ),
  replies: { 202: CampaignView, 404: Problem, 409: Problem },
  run: async ({ tx, actor, services, params: { id }, body, ifVersion }) => {
    const sendAt = body?.send_at ? new Date(body.send_at) : null
    const whole = await launchCampaign(tx, actor, id, { sendAt, timezone: body?.timezone ?? null, ifVersion })
    return accepted(await view(tx, actor, services, whole), `/communication/campaigns/${id}`)
  },
})

const sendRest = route({
  method: 'POST',
  path: '/communication/campaigns/:id/send-to-rest',
  may: 'communication.send',
  summary:
    'Send to those who have not got it: passing failures, those skipped who may get it now, newcomers of the audience',
  params,
  replies: { 202: Type.Object({ campaign: CampaignView, requeued: Type.Integer() }), 404: Problem, 409: Problem },
  run: async ({ tx, actor, services, params: { id } }) => {
    const { whole, requeued } = await sendToRest(tx, actor, id)
    return accepted({ campaign: await view(tx, actor, services, whole), requeued }, `/communication/campaigns/${id}`)
  },
})

const duplicate = route({
  method: 'POST',
  path: '/communication/campaigns/:id/duplicate',
  may: 'communication.write',
  summary: 'Copy a campaign into a new draft',
  params,
  replies: { 201: CampaignView, 404: Problem },
  run: async ({ tx, actor, services, params: { id } }) => {
    const whole = await duplicateCampaign(tx, actor, id)
    return created(
      await view(tx, actor, services, whole),
      `/communication/campaigns/${whole.campaign.id}`,
      whole.campaign.version,
    )
  },
})

const deliveries = route({
  method: 'GET',
  path: '/communication/campaigns/:id/deliveries',
  may: 'communication.read',
  summary: 'The ledger: who got it, who did not, and why',
  params,
  query: Closed({
    ...pageQuery,
    state: Type.Optional(OneOf(deliveryStates)),
    reason: Type.Optional(Type.String({ maxLength: 50 })),
    search: Type.Optional(Type.String({ maxLength: 200 })),
  }),
  replies: { 200: Page(DeliveryView), 404: Problem },
  run: async ({ tx, params: { id }, query }) => {
    await getCampaign(tx, id)
    return listDeliveries(tx, id, query)
  },
})

const links = route({
  method: 'GET',
  path: '/communication/campaigns/:id/links',
  may: 'communication.read',
  summary: 'The links of the message with their clicks',
  params,
  replies: {
    200: Type.Object({
      data: Type.Array(
        Type.Object({
          number: Type.Integer(),
          url: Type.String(),
          clicks: Type.Integer(),
          clicks_machine: Type.Integer(),
          unique_clicks: Type.Integer(),
        }),
      ),
    }),
    404: Problem,
  },
  run: async ({ tx, params: { id } }) => {
    await getCampaign(tx, id)
    return { data: await listLinks(tx, id) }
  },
})

const audience = route({
  method: 'POST',
  path: '/communication/campaigns/audience',
  may: 'communication.read',
  summary: 'How many an audience has, and who of them would be skipped and why',
  body: Closed({
    target_audience: Audience,
    category: Type.Optional(OneOf(['marketing', 'newsletter', 'transactional'])),
  }),
  replies: {
    200: Type.Object({
      size: Type.Integer(),
      sendable: Type.Integer(),
      skipped_by_reason: Type.Unsafe<Record<string, number>>({
        type: 'object',
        additionalProperties: { type: 'integer' },
      }),
    }),
  },
  run: async ({ tx, services, body }) => {
    await checkAudience(tx, body.target_audience, '/target_audience')
    return measureAudience(tx, services, body.target_audience, body.category ?? 'marketing')
  },
})

const preview = route({
  method: 'POST',
  path: '/communication/campaigns/preview',
  may: 'communication.read',
  summary: 'The mail as one contact would get it, with its headers',
  body: Closed({
    channel: ChannelInput,
    category: Type.Optional(OneOf(['marketing', 'newsletter', 'transactional'])),
    contact_id: Type.Optional(Id),
  }),
  replies: {
    200: Type.Object({
      subject: Type.String(),
      html: Type.String(),
      text: Type.String(),
      headers: Type.Unsafe<Record<string, string>>({ type: 'object', additionalProperties: { type: 'string' } }),
      errors: Type.Array(Type.Object({ pointer: Type.String(), line: Type.Integer(), detail: Type.String() })),
    }),
    404: Problem,
  },
  run: ({ tx, services, body }) => previewCampaign(tx, services, body),
})

const test = route({
  method: 'POST',
  path: '/communication/campaigns/:id/test',
  may: 'communication.send',
  summary: 'Send the mail to up to ten addresses of your own, marked as a test; nothing is counted',
  rate: '20/minute',
  params,
  body: Closed({ to: Type.Array(Email, { minItems: 1, maxItems: 10 }), contact_id: Type.Optional(Id) }),
  replies: { 202: Message, 404: Problem },
  run: async ({ tx, params: { id }, body }) => {
    await getCampaign(tx, id)
    await sendTest(tx, id, body)
    return new Reply(202, { message: `The test goes to ${body.to.join(', ')}.` })
  },
})

export const campaignRoutes = [
  list,
  create,
  audience,
  preview,
  show,
  ...updates,
  remove,
  launch,
  move('pause', 'Pause sending; a scheduled campaign becomes a draft again', (tx, actor, id) =>
    pauseCampaign(tx, actor, id),
  ),
  move('resume', 'Go on sending', resumeCampaign),
  move('cancel', 'End it for good; who was still waiting is skipped', cancelCampaign),
  move('restore', 'Bring back a deleted campaign', restoreCampaign, 'communication.write'),
  sendRest,
  duplicate,
  deliveries,
  links,
  test,
]
