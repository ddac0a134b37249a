/** The doors of document 4's tags. */
import { Type } from 'typebox'
import { created, route } from '#platform/http/route.ts'
import { Closed, Id, Message, Page, pageQuery, Problem } from '#platform/http/shapes.ts'
import { deleteTag } from '../tagging.ts'
import { CustomerPath } from './customer-fields.ts'
import {
  CustomerTagView,
  labelCustomer,
  labelFields,
  Labels,
  listCustomerTags,
  readLabels,
  unlabelCustomer,
} from './customer-tags.ts'

const rule = 'A tag that the workspace has already keeps its colour and priority; a new one takes what is given.'
const query = Closed({
  ...pageQuery,
  sort: Type.Optional(Type.String({ maxLength: 50, description: 'priority (highest first by default) or label' })),
})

const createTagRoute = route({
  method: 'POST',
  path: '/customers/tags',
  may: 'contact.write',
  summary: 'Put a tag on a customer',
  description: rule,
  body: Closed({ customer_id: Id, ...labelFields }),
  replies: { 201: CustomerTagView, 404: Problem },
  run: async ({ tx, actor, body: { customer_id, ...label } }) => {
    const [tag] = await labelCustomer(tx, actor, customer_id, [label])
    return created(tag!, `/customers/tags/customer/${customer_id}`)
  },
})

const addTagsRoute = route({
  method: 'POST',
  path: '/customers/:id/tags',
  may: 'contact.write',
  summary: 'Put one or several tags on a customer',
  description: `One object, a list, or {"tags": […]}; one comes back as itself, several under \`data\`. ${rule}`,
  params: CustomerPath,
  body: Labels,
  replies: {
    201: Type.Union([CustomerTagView, Type.Object({ data: Type.Array(Type.Object(CustomerTagView.properties)) })]),
    404: Problem,
  },
  run: async ({ tx, actor, params: { id }, body }) => {
    const { labels, one } = readLabels(body)
    const tags = await labelCustomer(tx, actor, id, labels)
    return created(one ? tags[0]! : { data: tags }, `/customers/tags/customer/${id}`)
  },
})

const [listTagsRoute, listTagsBesideRoute] = (['/customers/tags/customer/:id', '/customers/:id/tags'] as const).map(
  (path) =>
    route({
      method: 'GET',
      path,
      may: 'contact.read',
      summary: 'The tags of a customer, the highest priority first',
      params: CustomerPath,
      query,
      replies: { 200: Page(CustomerTagView), 404: Problem },
      run: ({ tx, params: { id }, query: asked }) => listCustomerTags(tx, id, asked),
    }),
)

const deleteTagRoute = route({
  method: 'DELETE',
  path: '/customers/tags/:tag_id',
  may: 'contact.write',
  summary: 'Delete a tag of the workspace, for good; whoever had it loses it',
  params: Closed({ tag_id: Id }),
  replies: { 200: Message, 404: Problem, 412: Problem },
  run: async ({ tx, actor, params: { tag_id }, ifVersion }) => {
    await deleteTag(tx, actor, tag_id, ifVersion)
    return { message: 'The tag was deleted.' }
  },
})

const removeTagRoute = route({
  method: 'DELETE',
  path: '/customers/:id/tags/:tag_id',
  may: 'contact.write',
  summary: 'Take a tag off a customer; others keep it',
  params: Closed({ id: Id, tag_id: Id }),
  replies: { 200: Message, 404: Problem },
  run: async ({ tx, actor, params: { id, tag_id } }) => {
    await unlabelCustomer(tx, actor, id, tag_id)
    return { message: 'The tag was taken off the customer.' }
  },
})

export const customerTagRoutes = [
  createTagRoute,
  addTagsRoute,
  listTagsRoute!,
  listTagsBesideRoute!,
  deleteTagRoute,
  removeTagRoute,
]
