/** The doors of the timeline. */
import { Type } from 'typebox'
import { created, route } from '#platform/http/route.ts'
import { Closed, Id, OneOf, Page, pageQuery, Problem } from '#platform/http/shapes.ts'
import { Invalid } from '#platform/errors.ts'
import { getContact } from './contacts.ts'
import { EntryFields, InteractionView, refuseLongMetadata } from './interaction-shapes.ts'
import { addInteraction, interactionTypes, listInteractions, manualTypes, viewInteraction } from './interactions.ts'

const params = Closed({ id: Id })

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
  run: async ({ tx, actor, params: { id }, query: asked, services }) => {
    await getContact(tx, id, { deletedToo: true })
    return listInteractions(tx, actor, services, { contactId: id, ...toQuery(asked) })
  },
})

const listAllRoute = route({
  method: 'GET',
  path: '/contacts/interactions',
  may: 'contact.read',
  summary: 'What happened with all contacts, newest first',
  query,
  replies: { 200: Page(InteractionView) },
  run: ({ tx, actor, query: asked, services }) => listInteractions(tx, actor, services, toQuery(asked)),
})

const addRoute = route({
  method: 'POST',
  path: '/contacts/:id/interactions/add',
  may: 'contact.write',
  summary: 'Enter something by hand',
  params,
  body: Closed({
    interaction_type: OneOf(manualTypes),
    ...EntryFields,
  }),
  replies: { 201: InteractionView, 404: Problem },
  run: async ({ tx, actor, params: { id }, body }) => {
    refuseLongMetadata(body.metadata)
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
