/** The doors of merging: try it, do it, look it up, take it back. */
import { Type } from 'typebox'
import { Reply, route } from '#platform/http/route.ts'
import { AnyJson, Closed, Id, Page, pageQuery, Problem } from '#platform/http/shapes.ts'
import { contactFields, ContactView, viewContact } from '../contact-view.ts'
import { mergeFields } from './fields.ts'
import { duplicatesMax, mergeContacts, previewMerge } from './merge.ts'
import { getMerge, listMerges, MergeView, viewMerge } from './merges.ts'
import { undoDays, undoMerge } from './undo.ts'

const MergeRequest = Closed({
  primary_id: Id,
  duplicate_ids: Type.Array(Id, { minItems: 1, maxItems: duplicatesMax }),
  fields: Type.Optional(
    Closed(Object.fromEntries([...mergeFields, 'custom_fields'].map((field) => [field, Type.Optional(AnyJson)])), {
      description:
        'Per field, the id of the contact whose value wins, or the new value itself; null empties a field. custom_fields ' +
        'takes the id of a contact, or an object with such a choice for each key. Without a choice the primary’s value ' +
        'stays, and what it leaves empty comes from the first duplicate that knows it; notes are joined.',
    }),
  ),
})

const params = Closed({ id: Id })

const Moved = Type.Unsafe<Record<string, number>>({
  type: 'object',
  additionalProperties: { type: 'integer' },
  description: 'How many rows of which table go along; what the survivor has already is not counted',
})

const rules =
  'Notes, timeline, tags, lists, orders, bookings and tickets of the duplicates go to the primary; counters add up. Of consents ' +
  'the stricter wins: a "no" of any of them stands, a "yes" holds only where the record of the surviving address has it. The ' +
  'addresses of the duplicates still find the contact.'

const previewRoute = route({
  method: 'POST',
  path: '/contacts/merge/preview',
  may: 'contact.write',
  summary: 'What a merge would make of these contacts; changes nothing',
  description: rules,
  body: MergeRequest,
  replies: {
    200: Type.Object({
      contact: ContactView,
      conflicts: Type.Array(
        Type.Object({
          field: Type.String({ description: '`company`, or `custom_fields.<key>`' }),
          values: Type.Array(Type.Object({ contact_id: Id, value: AnyJson })),
          chosen: AnyJson,
        }),
        { description: 'Fields in which the contacts differ' },
      ),
      consents: Type.Array(
        Type.Object({
          purpose: Type.String(),
          values: Type.Array(Type.Object({ contact_id: Id, value: Type.Boolean() })),
          chosen: Type.Boolean(),
        }),
      ),
      moved: Moved,
    }),
    409: Problem,
  },
  run: async ({ tx, actor, body, services }) => {
    const { contact, conflicts, consents, moved } = await previewMerge(tx, actor, body, services)
    return { contact: viewContact(contact), conflicts, consents, moved }
  },
})

const mergeRoute = route({
  method: 'POST',
  path: '/contacts/merge',
  may: 'contact.write',
  summary: 'Merge duplicates into one contact',
  description:
    `${rules} The duplicates are deleted, and asking for one answers 404 with \`merged_into\`. It can be undone for ${undoDays} days. ` +
    'If-Match names the version of the primary.',
  body: MergeRequest,
  replies: { 200: Type.Object({ ...contactFields, merge_id: Id }), 409: Problem, 412: Problem },
  run: async ({ tx, actor, body, services, ifVersion }) => {
    const { contact, mergeId } = await mergeContacts(tx, actor, body, { services, ifVersion })
    return new Reply(200, { ...viewContact(contact), merge_id: mergeId }, { etag: `"v${contact.version}"` })
  },
})

const listMergesRoute = route({
  method: 'GET',
  path: '/contacts/merges',
  may: 'contact.read',
  summary: 'Merges, the newest first',
  query: Closed({ ...pageQuery, contact_id: Type.Optional(Id) }),
  replies: { 200: Page(MergeView) },
  run: ({ tx, query }) => listMerges(tx, query),
})

const showMergeRoute = route({
  method: 'GET',
  path: '/contacts/merges/:id',
  may: 'contact.read',
  summary: 'One merge',
  params,
  replies: { 200: MergeView, 404: Problem },
  run: async ({ tx, params: { id } }) => viewMerge(await getMerge(tx, id)),
})

const undoMergeRoute = route({
  method: 'POST',
  path: '/contacts/merges/:id/undo',
  may: 'contact.write',
  summary: 'Undo a merge: every contact becomes what it was',
  description:
    'What was changed since the merge stays with the survivor; `merge.kept` tells what that is. Merges of one contact are undone in ' +
    'the opposite order. 409 when an address belongs to another contact by now.',
  params,
  replies: {
    200: Type.Object({ contact: ContactView, restored: Type.Array(Type.Object(contactFields)), merge: MergeView }),
    404: Problem,
    409: Problem,
  },
  run: async ({ tx, actor, params: { id }, services }) => {
    const { contact, restored, merge } = await undoMerge(tx, actor, id, services)
    return { contact: viewContact(contact), restored: restored.map(viewContact), merge: viewMerge(merge) }
  },
})

export const mergeRoutes = [previewRoute, mergeRoute, listMergesRoute, showMergeRoute, undoMergeRoute]
