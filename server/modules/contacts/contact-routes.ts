/** The doors of the contact record. */
import { Type, type Static } from 'typebox'
import type { Tx } from '#platform/db/db.ts'
import { created, record, route } from '#platform/http/route.ts'
import { Closed, Id, Message, Page, pageQuery, Problem } from '#platform/http/shapes.ts'
import { readThrough } from './cached-reads.ts'
import { ContactChange, NewContact } from './contact-fields.ts'
import { listContacts, sortNames, viewedFields } from './contact-query.ts'
import { contactFields, ContactView, viewContact } from './contact-view.ts'
import { deleteContact, restoreContact } from './contact-removal.ts'
import { createContact, getContact, updateContact } from './contacts.ts'
import { InteractionView } from './interaction-shapes.ts'
import { readInteractions } from './interactions.ts'
import { hideUnseenTickets } from './ticket-sight.ts'
import { openQuery } from './views/open.ts'
import { ContactStats, contactStats } from './stats.ts'

const params = Closed({ id: Id })

const listContactsRoute = route({
  method: 'GET',
  path: '/contacts',
  may: 'contact.read',
  summary: 'Contacts: searched, filtered, sorted, page by page',
  description:
    'Every word of `search` must occur somewhere in the name, e-mail or company; accents and case do not matter. ' +
    `Sort by ${sortNames.join(', ')}, with a leading - for the other direction; the newest come first unless told otherwise. ` +
    '`view` begins with a saved view: the other parameters narrow it down, and a sort order here takes the place of its own.',
  query: Closed({ ...viewedFields, ...pageQuery, sort: Type.Optional(Type.String({ maxLength: 50 })) }),
  replies: { 200: Page(ContactView) },
  // People type the same words again and again; what nobody searched for is asked of the indexes each time.
  run: async ({ tx, actor, query, services }) =>
    query.search && !query.filter && !query.phone && !query.view
      ? readThrough(tx, services, 'contact_search', query, () => listContacts(tx, query))
      : listContacts(tx, await openQuery(tx, actor, query)),
})

const createContactRoute = route({
  method: 'POST',
  path: '/contacts',
  may: 'contact.write',
  summary: 'Make a contact',
  description: 'The e-mail is unique in the workspace, whatever its case. A person gives a first name, or a full name.',
  body: NewContact,
  replies: { 201: ContactView, 409: Problem },
  run: async ({ tx, actor, body, services }) => {
    const contact = await createContact(tx, actor, body, services)
    return created(viewContact(contact), `/contacts/${contact.id}`, contact.version)
  },
})

/** The single record adds what document 1 calls the engagement history, and what the person is subscribed to. */
const ContactDetails = Type.Object({
  ...contactFields,
  merged_into: Type.Unsafe<string | null>({
    type: ['string', 'null'],
    format: 'uuid',
    description: 'Of a deleted contact, who it is now',
  }),
  engagement: Type.Array(InteractionView, { description: 'The timeline, newest first' }),
  engagement_next_cursor: Type.Unsafe<string | null>({ type: ['string', 'null'] }),
  subscriptions: Type.Object({
    newsletter: Type.Boolean(),
    marketing: Type.Boolean(),
    transactional: Type.Boolean({ description: 'Always true: receipts and the like are part of what was ordered' }),
  }),
})

const showQuery = Closed({
  engagement_cursor: Type.Optional(Type.String({ maxLength: 2_000 })),
  engagement_limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 20 })),
  deleted: Type.Optional(Type.Boolean({ description: 'Also when it is deleted' })),
})

const showContactRoute = route({
  method: 'GET',
  path: '/contacts/:id',
  may: 'contact.read',
  summary: 'One contact, with its timeline and subscriptions',
  params,
  query: showQuery,
  replies: { 200: ContactDetails, 404: Problem },
  // What is kept is the same for all; who sees which ticket is asked each time.
  run: async ({ tx, actor, params: { id }, query, services }) => {
    const { version, ...details } = await readThrough(tx, services, 'contact', [id.toLowerCase(), query], () =>
      readContact(tx, id, query),
    )
    return record({ ...details, engagement: await hideUnseenTickets(tx, actor, services, details.engagement) }, version)
  },
})

async function readContact(tx: Tx, id: string, query: Static<typeof showQuery>) {
  const contact = await getContact(tx, id, { deletedToo: query.deleted ?? false })
  const cursor = query.engagement_cursor === undefined ? {} : { cursor: query.engagement_cursor }
  const timeline = await readInteractions(tx, { contactId: id, limit: query.engagement_limit ?? 20, ...cursor })
  return {
    ...viewContact(contact),
    merged_into: contact.merged_into,
    engagement: timeline.data,
    engagement_next_cursor: timeline.next_cursor,
    subscriptions: {
      newsletter: contact.newsletter_subscribed,
      marketing: contact.marketing_subscribed,
      transactional: true,
    },
    version: contact.version,
  }
}

const [replaceContactRoute, changeContactRoute] = (['PUT', 'PATCH'] as const).map((method) =>
  route({
    method,
    path: '/contacts/:id',
    may: 'contact.write',
    summary: 'Change a contact: the fields that are named are replaced, the others stay',
    params,
    body: ContactChange,
    replies: { 200: ContactView, 404: Problem, 409: Problem, 412: Problem },
    run: async ({ tx, actor, params: { id }, body, services, ifVersion }) => {
      const contact = await updateContact(tx, actor, id, body, { services, ifVersion })
      return record(viewContact(contact), contact.version)
    },
  }),
)

const deleteContactRoute = route({
  method: 'DELETE',
  path: '/contacts/:id',
  may: 'contact.write',
  summary: 'Delete a contact; it can be restored',
  params,
  replies: { 200: Message, 404: Problem, 412: Problem },
  run: async ({ tx, actor, params: { id }, ifVersion }) => {
    await deleteContact(tx, actor, id, ifVersion)
    return { message: 'The contact was deleted. It can be restored.' }
  },
})

const restoreContactRoute = route({
  method: 'POST',
  path: '/contacts/:id/restore',
  may: 'contact.write',
  summary: 'Bring a deleted contact back, unless its e-mail was taken meanwhile',
  params,
  replies: { 200: ContactView, 404: Problem, 409: Problem },
  run: async ({ tx, actor, params: { id } }) => {
    const contact = await restoreContact(tx, actor, id)
    return record(viewContact(contact), contact.version)
  },
})

const statsRoute = route({
  method: 'GET',
  path: '/contacts/stats',
  may: 'contact.read',
  summary: 'Numbers for the dashboard',
  description: 'Counted at `computed_at`; in large workspaces up to a minute old.',
  replies: { 200: ContactStats },
  run: ({ tx, services }) => contactStats(tx, services),
})

export const contactRoutes = [
  listContactsRoute,
  createContactRoute,
  statsRoute,
  showContactRoute,
  replaceContactRoute!,
  changeContactRoute!,
  deleteContactRoute,
  restoreContactRoute,
]
