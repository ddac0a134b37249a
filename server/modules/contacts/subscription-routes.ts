/** Doors of the team: subscriptions, the consent ledger, and engagement that other systems report. */
import { sql } from 'kysely'
import { Type } from 'typebox'
import { newId } from '#platform/ids.ts'
import { record, route } from '#platform/http/route.ts'
import {
  Closed,
  Id,
  JsonObject,
  Message,
  NullableId,
  NullableText,
  OneOf,
  Page,
  pageQuery,
  Timestamp,
} from '#platform/http/shapes.ts'
import { checkVersion } from '#platform/errors.ts'
import { afterCursor, countRows, orderBy, page, parseSort } from '#platform/http/paging.ts'
import type { Tx } from '#platform/db/db.ts'
import type { Selectable } from 'kysely'
import { getContact, lockContact } from './contacts.ts'
import { ContactView, viewContact } from './contact-view.ts'
import { engagementTypes, recordEngagement } from './engagement.ts'
import { subscriptionTypes } from './public-subscription.ts'
import { subscribe, unsubscribeByTeam } from './subscriptions.ts'
import type { ConsentTable } from './tables.ts'
import { recordsOf } from './merging/survivors.ts'

const params = Type.Object({ id: Id })
const body = Closed({ type: OneOf(subscriptionTypes) })

export const subscribeRoute = route({
  method: 'POST',
  path: '/contacts/:id/subscribe',
  may: 'contact.write',
  summary: 'Records that a person agreed, and subscribes them',
  description:
    'Refused with 409 `unsubscribed_by_person` when they unsubscribed by their own hand: only they can take that back.',
  params,
  body,
  replies: { 200: ContactView },
  run: async ({ tx, actor, params: { id }, body: { type }, services, ifVersion }) => {
    checkVersion((await lockContact(tx, id)).version, ifVersion)
    await subscribe(tx, services, id, { actor, type })
    return viewed(tx, id)
  },
})

export const unsubscribeRoute = route({
  method: 'POST',
  path: '/contacts/:id/unsubscribe',
  may: 'contact.write',
  summary: 'Records that a person said no, and unsubscribes them',
  description: 'Transactional messages (orders, bookings, requests) cannot be switched off: 422 `always_on`.',
  params,
  body,
  replies: { 200: ContactView },
  run: async ({ tx, actor, params: { id }, body: { type }, services, ifVersion }) => {
    checkVersion((await lockContact(tx, id)).version, ifVersion)
    await unsubscribeByTeam(tx, services, id, { actor, type })
    return viewed(tx, id)
  },
})

export const recordEngagementRoute = route({
  method: 'POST',
  path: '/contacts/:id/engagement',
  may: 'contact.write',
  summary: 'Records an open, a click, a form or a purchase that another system saw',
  description: 'The same `source_key` counts once, however often it is sent.',
  params,
  body: Closed({
    type: OneOf(engagementTypes),
    campaign_id: Type.Optional(Id),
    occurred_at: Type.Optional(Type.String({ format: 'date-time' })),
    metadata: Type.Optional(JsonObject),
    source_key: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
  }),
  replies: { 200: Message },
  run: async ({ tx, actor, params: { id }, body: fact, services }) => {
    await lockContact(tx, id)
    await recordEngagement(tx, services, [
      {
        contactId: id,
        type: fact.type,
        campaignId: fact.campaign_id ?? null,
        // A time that lies ahead would keep its bonus for longer than anybody else's.
        occurredAt: fact.occurred_at ? new Date(Math.min(Date.parse(fact.occurred_at), tx.now.getTime())) : tx.now,
        metadata: fact.metadata ?? {},
        sourceKey: `api:${fact.source_key ?? newId()}`,
        actor,
      },
    ])
    return { message: 'The engagement is recorded.' }
  },
})

const ConsentView = Type.Object({
  id: Id,
  purpose: OneOf(['newsletter', 'marketing', 'tracking', 'transactional']),
  decision: OneOf(['granted', 'withdrawn', 'pending']),
  source: Type.String(),
  wording: Type.String(),
  wording_sha256: Type.String(),
  ip: NullableText,
  user_agent: NullableText,
  evidence: JsonObject,
  recorded_at: Timestamp,
  actor: Type.Unsafe<{ id: string | null; name: string } | null>({
    anyOf: [Type.Object({ id: NullableId, name: Type.String() }), Type.Null()],
  }),
})

export const listConsentsRoute = route({
  method: 'GET',
  path: '/contacts/:id/consents',
  may: 'contact.read',
  summary: 'The consent ledger of a contact, newest first: who said what, when, where, to which wording',
  params,
  query: Type.Object(pageQuery),
  replies: { 200: Page(ConsentView) },
  run: async ({ tx, params: { id }, query }) => {
    await getContact(tx, id, { deletedToo: true })
    const limit = query.limit ?? 50
    const byTime = { recorded_at: { expression: sql`k.recorded_at`, type: 'timestamptz' as const } }
    const sort = parseSort(undefined, byTime, '-recorded_at')
    const from = sql`from contacts.consents k where k.workspace_id = ${tx.workspaceId} and k.contact_id = any(${recordsOf(sql`${id}::uuid`)})`
    const after = afterCursor(query.cursor, sort, sql`k.id`)
    const { rows } = await sql<Selectable<ConsentTable> & { sort_key: string }>`
      select k.*, k.recorded_at::text as sort_key ${from} ${after ? sql`and ${after}` : sql``}
      order by ${orderBy(sort, sql`k.id`)} limit ${limit + 1}`.execute(tx.sql)
    const total = await countRows(tx, from, query.count === 'exact')
    return { ...page(rows, limit, sort, viewConsent), total }
  },
})

export const subscriptionRoutes = [subscribeRoute, unsubscribeRoute, recordEngagementRoute, listConsentsRoute]

async function viewed(tx: Tx, id: string) {
  const row = await getContact(tx, id)
  return record(viewContact(row), row.version)
}

function viewConsent(row: Selectable<ConsentTable>) {
  const { address_hash: _ours, ...evidence } = row.evidence as Record<string, unknown>
  return {
    id: row.id,
    purpose: row.purpose,
    decision: row.decision,
    source: row.source,
    wording: row.wording,
    wording_sha256: row.wording_sha256,
    ip: row.ip,
    user_agent: row.user_agent,
    evidence,
    recorded_at: row.recorded_at,
    actor: row.actor_id || row.actor_name ? { id: row.actor_id, name: row.actor_name } : null,
  }
}
