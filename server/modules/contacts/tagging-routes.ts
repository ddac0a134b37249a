/** The doors of who has a tag. */
import { Type } from 'typebox'
import { record, route } from '#platform/http/route.ts'
import { Closed, Id, Page, pageQuery, Problem } from '#platform/http/shapes.ts'
import { filterFields, listContacts } from './contact-query.ts'
import { ContactView } from './contact-view.ts'
import { ContactIds } from './member-routes.ts'
import { TagView, viewTag } from './tag-routes.ts'
import { applyTag, mergeTag, removeTag } from './tagging.ts'
import { getTag } from './tags.ts'

const params = Closed({ id: Id })

const holdersRoute = route({
  method: 'GET',
  path: '/tags/:id/contacts',
  may: 'contact.read',
  summary: 'Contacts with this tag; filters and sort orders are those of /contacts',
  params,
  query: Closed({ ...filterFields, ...pageQuery, sort: Type.Optional(Type.String({ maxLength: 50 })) }),
  replies: { 200: Page(ContactView), 404: Problem },
  run: async ({ tx, params: { id }, query }) => {
    const tag = await getTag(tx, id)
    const others = typeof query.tags === 'string' ? query.tags.split(',') : (query.tags ?? [])
    return listContacts(tx, { ...query, tags: [tag.name, ...others] })
  },
})

const TaggingReply = Type.Object({ message: Type.String(), changed: Type.Integer(), not_found: Type.Integer() })

const applyRoute = route({
  method: 'POST',
  path: '/tags/:id/apply',
  may: 'contact.write',
  summary: 'Give contacts this tag',
  params,
  body: Closed({ contact_ids: ContactIds }),
  replies: { 200: TaggingReply, 404: Problem },
  run: async ({ tx, actor, params: { id }, body }) => {
    const result = await applyTag(tx, actor, id, body.contact_ids)
    return { message: `${result.changed} contacts were tagged.`, ...result }
  },
})

const removeRoute = route({
  method: 'DELETE',
  path: '/tags/:id/remove',
  may: 'contact.write',
  summary: 'Take this tag off contacts',
  params,
  body: Closed({ contact_ids: ContactIds }),
  replies: { 200: TaggingReply, 404: Problem },
  run: async ({ tx, actor, params: { id }, body }) => {
    const result = await removeTag(tx, actor, id, body.contact_ids)
    return { message: `The tag was taken off ${result.changed} contacts.`, ...result }
  },
})

const mergeRoute = route({
  method: 'POST',
  path: '/tags/:id/merge',
  may: 'contact.write',
  summary: 'Merge this tag into another one, which takes over its contacts',
  params,
  body: Closed({ target_tag_id: Id }),
  replies: { 200: TagView, 404: Problem },
  run: async ({ tx, actor, params: { id }, body }) => {
    const target = await mergeTag(tx, actor, id, body.target_tag_id)
    return record(viewTag(target), target.version)
  },
})

export const taggingRoutes = [holdersRoute, applyRoute, removeRoute, mergeRoute]
