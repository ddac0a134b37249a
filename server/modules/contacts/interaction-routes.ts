/** The doors of the timeline. */
import { Type } from 'typebox'
import { created, route } from '#platform/http/route.ts'
import {
  Closed,
  Id,
  JsonObject,
  NullableId,
  NullableText,
  OneOf,
  Page,
  pageQuery,
  Problem,
  Timestamp,
} from '#platform/http/shapes.ts'
import { Invalid } from '#platform/errors.ts'
import { getContact } from './contacts.ts'
import { addInteraction, interactionTypes, listInteractions, manualTypes, viewInteraction } from './interactions.ts'

const params = Closed({ id: Id })

export const InteractionView = Type.Object(
  {
    id: Id,
    contact_id: Id,
    contact_name: Type.Optional(Type.String({ description: 'In lists: the name, or the address of who has none' })),
    interaction_type: Type.String(),
    description: Type.String(),
    metadata: JsonObject,
    occurred_at: Timestamp,
    recorded_at: Timestamp,
    actor: Type.Unsafe<{ id: string | null; name: string } | null>({
      type: ['object', 'null'],
      properties: { id: NullableId, name: { type: 'string' } },
    }),
    booking_id: NullableText,
    campaign_id: NullableId,
  },
  { $id: 'Interaction' },
)

const query = Closed({
  ...pageQuery,
  type: Type.Optional(
    Type.String({ maxLength: 500, description: `One or several, separated by commas: ${interactionTypes.join(', ')}` }),
  ),
})

const listOfContactRoute = route({
  method: 'GET',
  path: '/contacts/:id/interactions',
  may: 'contact.read',
  summary: 'The timeline of a contact, newest first',
  params,
  query,
  replies: { 200: Page(InteractionView), 404: Problem },
  run: async ({ tx, params: { id }, query: asked }) => {
    await getContact(tx, id, { deletedToo: true })
    return listInteractions(tx, { contactId: id, ...toQuery(asked) })
  },
})

const listAllRoute = route({
  method: 'GET',
  path: '/contacts/interactions',
  may: 'contact.read',
  summary: 'What happened with all contacts, newest first',
  query,
  replies: { 200: Page(InteractionView) },
  run: ({ tx, query: asked }) => listInteractions(tx, toQuery(asked)),
})

const metadataBytesMax = 16 * 1_024

const addRoute = route({
  method: 'POST',
  path: '/contacts/:id/interactions/add',
  may: 'contact.write',
  summary: 'Enter something by hand; the timeline only ever grows',
  params,
  body: Closed({
    interaction_type: OneOf(manualTypes),
    description: Type.String({ minLength: 1, maxLength: 5_000, pattern: '\\S' }),
    metadata: Type.Optional(JsonObject),
    booking_id: Type.Optional(Type.String({ maxLength: 100 })),
    occurred_at: Type.Optional(Type.String({ format: 'date-time' })),
  }),
  replies: { 201: InteractionView, 404: Problem },
  run: async ({ tx, actor, params: { id }, body }) => {
    if (Buffer.byteLength(JSON.stringify(body.metadata ?? {})) > metadataBytesMax) {
      throw Invalid.at('/metadata', 'too_long', 'Metadata holds at most 16 KB.')
    }
    const entry = await addInteraction(tx, actor, id, {
      type: body.interaction_type,
      description: body.description,
      metadata: body.metadata ?? {},
      bookingId: body.booking_id ?? null,
      occurredAt: body.occurred_at ?? tx.now,
    })
    return created(viewInteraction(entry), `/contacts/${id}/interactions`)
  },
})

export const interactionRoutes = [listAllRoute, listOfContactRoute, addRoute]

function toQuery(asked: { type?: string; limit?: number; cursor?: string; count?: 'exact' }) {
  const types = asked.type?.split(',').map((type) => type.trim())
  const unknown = types?.find((type) => !interactionTypes.some((known) => known === type))
  if (unknown !== undefined) {
    throw Invalid.at('?type', 'not_allowed', `Use one of ${interactionTypes.join(', ')}.`)
  }
  return {
    ...(types ? { types } : {}),
    ...(asked.limit === undefined ? {} : { limit: asked.limit }),
    ...(asked.cursor === undefined ? {} : { cursor: asked.cursor }),
    exactCount: asked.count === 'exact',
  }
}
