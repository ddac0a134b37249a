/** The doors of tags. */
import { Type } from 'typebox'
import { created, record, route } from '#platform/http/route.ts'
import {
  Closed,
  Color,
  Id,
  Message,
  NullableText,
  Page,
  pageQuery,
  Problem,
  TextOrNull,
  Timestamp,
} from '#platform/http/shapes.ts'
import { readThrough } from './cached-reads.ts'
import { filterFields, listContacts } from './contact-query.ts'
import { ContactView } from './contact-view.ts'
import { deleteTag } from './tagging.ts'
import { createTag, getTag, listTags, popularTags, updateTag, type Tag } from './tags.ts'

const params = Closed({ id: Id })

const tagFields = {
  id: Id,
  name: Type.String(),
  slug: Type.String(),
  color: Type.String(),
  description: NullableText,
  priority: Type.Integer({ description: 'The highest come first where tags are shown' }),
  contact_count: Type.Integer(),
  created_at: Timestamp,
  updated_at: Timestamp,
}
export const TagView = Type.Object(tagFields, { $id: 'Tag' })
const TagDetails = Type.Object({
  ...tagFields,
  contacts: Type.Array(ContactView, { description: 'The newest fifty; /tags/{id}/contacts has them all' }),
})

const name = Type.String({
  minLength: 1,
  maxLength: 100,
  pattern: '^[^,]*[^,\\s][^,]*$',
  description: 'Without commas',
})
const input = {
  color: Type.Optional(Color),
  description: Type.Optional(TextOrNull(500)),
  priority: Type.Optional(Type.Integer({ minimum: -1_000, maximum: 1_000 })),
}

const listTagsRoute = route({
  method: 'GET',
  path: '/tags',
  may: 'contact.read',
  summary: 'Tags',
  query: Closed({
    ...pageQuery,
    search: filterFields.search,
    sort: Type.Optional(Type.String({ maxLength: 50, description: 'name, priority, contact_count, created_at' })),
  }),
  replies: { 200: Page(TagView) },
  run: ({ tx, query, services }) => readThrough(tx, services, 'tags', query, () => listTags(tx, query, viewTag)),
})

const popularTagsRoute = route({
  method: 'GET',
  path: '/tags/popular',
  may: 'contact.read',
  summary: 'The most used tags',
  query: Closed({ limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: 10 })) }),
  replies: { 200: Page(TagView) },
  run: async ({ tx, query: { limit = 10 }, services }) => {
    const tags = await readThrough(tx, services, 'popular_tags', limit, async () =>
      (await popularTags(tx, limit)).map(viewTag),
    )
    return { data: tags, next_cursor: null, total: tags.length }
  },
})

const createTagRoute = route({
  method: 'POST',
  path: '/tags',
  may: 'contact.write',
  summary: 'Make a tag',
  body: Closed({ name, ...input }),
  replies: { 201: TagView, 409: Problem },
  run: async ({ tx, actor, body }) => {
    const tag = await createTag(tx, actor, body)
    return created(viewTag(tag), `/tags/${tag.id}`, tag.version)
  },
})

const showTagRoute = route({
  method: 'GET',
  path: '/tags/:id',
  may: 'contact.read',
  summary: 'One tag, with the newest contacts that have it',
  params,
  replies: { 200: TagDetails, 404: Problem },
  run: async ({ tx, params: { id } }) => {
    const tag = await getTag(tx, id)
    const { data } = await listContacts(tx, { tags: [tag.name] })
    return record({ ...viewTag(tag), contacts: data }, tag.version)
  },
})

const [replaceTagRoute, changeTagRoute] = (['PUT', 'PATCH'] as const).map((method) =>
  route({
    method,
    path: '/tags/:id',
    may: 'contact.write',
    summary: 'Change a tag: the fields that are named are replaced, the others stay',
    params,
    body: Closed({ name: Type.Optional(name), ...input }),
    replies: { 200: TagView, 404: Problem, 409: Problem, 412: Problem },
    run: async ({ tx, actor, params: { id }, body, ifVersion }) => {
      const tag = await updateTag(tx, actor, id, body, ifVersion)
      return record(viewTag(tag), tag.version)
    },
  }),
)

const deleteTagRoute = route({
  method: 'DELETE',
  path: '/tags/:id',
  may: 'contact.write',
  summary: 'Delete a tag, for good; whoever had it loses it',
  params,
  replies: { 200: Message, 404: Problem, 412: Problem },
  run: async ({ tx, actor, params: { id }, ifVersion }) => {
    await deleteTag(tx, actor, id, ifVersion)
    return { message: 'The tag was deleted.' }
  },
})

export const tagRoutes = [
  listTagsRoute,
  popularTagsRoute,
  createTagRoute,
  showTagRoute,
  replaceTagRoute!,
  changeTagRoute!,
  deleteTagRoute,
]

export function viewTag({
  id,
  name: title,
  slug,
  color,
  description,
  priority,
  usage_count,
  created_at,
  updated_at,
}: Tag) {
  return { id, name: title, slug, color, description, priority, contact_count: usage_count, created_at, updated_at }
}
