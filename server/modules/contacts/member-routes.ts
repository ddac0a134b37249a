/** The doors of who is in a list. */
import { Type } from 'typebox'
import { route } from '#platform/http/route.ts'
import { Closed, Id, Page, pageQuery, Problem } from '#platform/http/shapes.ts'
import { filterFields, listContacts } from './contact-query.ts'
import { ContactView } from './contact-view.ts'
import { getList } from './lists.ts'
import { addToList, removeFromList, syncList } from './membership.ts'

const params = Closed({ id: Id })
export const ContactIds = Type.Array(Id, {
  maxItems: 10_000,
  description: 'Ids that name no contact here are counted and left out',
})
const MembershipReply = Type.Object({ message: Type.String(), changed: Type.Integer(), not_found: Type.Integer() })

const membersRoute = route({
  method: 'GET',
  path: '/lists/:id/contacts',
  may: 'contact.read',
  summary: 'The members of a list; filters and sort orders are those of /contacts',
  params,
  query: Closed({ ...filterFields, ...pageQuery, sort: Type.Optional(Type.String({ maxLength: 50 })) }),
  replies: { 200: Page(ContactView), 404: Problem },
  run: async ({ tx, params: { id }, query }) => {
    await getList(tx, id)
    // Another list named in the query narrows down further: `group` is the second slot for one.
    return listContacts(tx, { ...query, list: id, ...(query.list ? { group: query.list } : {}) })
  },
})

const addMembersRoute = route({
  method: 'POST',
  path: '/lists/:id/contacts',
  may: 'contact.write',
  summary: 'Add contacts to a list',
  params,
  body: Closed({ contact_ids: ContactIds }),
  replies: { 200: MembershipReply, 404: Problem },
  run: async ({ tx, actor, params: { id }, body }) => {
    const result = await addToList(tx, actor, id, body.contact_ids)
    return { message: `${result.changed} contacts were added.`, ...result }
  },
})

const removeMembersRoute = route({
  method: 'DELETE',
  path: '/lists/:id/contacts',
  may: 'contact.write',
  summary: 'Take contacts off a list',
  params,
  body: Closed({ contact_ids: ContactIds }),
  replies: { 200: MembershipReply, 404: Problem },
  run: async ({ tx, actor, params: { id }, body }) => {
    const result = await removeFromList(tx, actor, id, body.contact_ids)
    return { message: `${result.changed} contacts were removed.`, ...result }
  },
})

const syncRoute = route({
  method: 'POST',
  path: '/lists/:id/sync',
  may: 'contact.write',
  summary: 'Make the list hold exactly these contacts',
  params,
  body: Closed({ contact_ids: ContactIds }),
  replies: {
    200: Type.Object({
      message: Type.String(),
      added: Type.Integer(),
      removed: Type.Integer(),
      contact_count: Type.Integer(),
      not_found: Type.Integer(),
    }),
    404: Problem,
  },
  run: async ({ tx, actor, params: { id }, body }) => ({
    message: 'The list was synchronised.',
    ...(await syncList(tx, actor, id, body.contact_ids)),
  }),
})

export const memberRoutes = [membersRoute, addMembersRoute, removeMembersRoute, syncRoute]
