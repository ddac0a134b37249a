/** The doors of document 4's customer. The operations are the contact's; only the names differ. */
import { Type } from 'typebox'
import { created, record, route } from '#platform/http/route.ts'
import { Closed, Id, Message, Page, pageQuery, Problem } from '#platform/http/shapes.ts'
import { listContacts, sortNames, tagsOf, viewedFields } from '../contact-query.ts'
import { deleteContact } from '../contact-removal.ts'
import { createContact, getContact, updateContact } from '../contacts.ts'
import {
  CustomerChange,
  CustomerPath,
  GenderWord,
  NewCustomer,
  readGender,
  requireOwnBusiness,
  toContactChange,
  toNewContact,
} from './customer-fields.ts'
import { openQuery } from '../views/open.ts'
import { CustomerStats, customerStats } from './customer-stats.ts'
import { CustomerView, viewCustomer, viewCustomers } from './customer-view.ts'

const createRoute = route({
  method: 'POST',
  path: '/customers',
  may: 'contact.write',
  summary: 'Make a customer: a contact under the names of document 4',
  description:
    'The e-mail is unique in the workspace, whatever its case. `business_id` is the workspace, and optional.',
  body: NewCustomer,
  replies: { 201: CustomerView, 409: Problem },
  run: async ({ tx, actor, body, services }) => {
    const contact = await createContact(tx, actor, toNewContact(body, tx.workspaceId), services)
    return created(await viewCustomer(tx, contact), `/customers/${contact.id}`, contact.version)
  },
})

const listRoute = route({
  method: 'GET',
  path: '/customers',
  may: 'contact.read',
  summary: 'Customers: searched, filtered, sorted, page by page',
  description: `All filters of GET /contacts. Sort by ${sortNames.join(', ')}, with a leading - for the other direction.`,
  query: Closed({
    ...viewedFields,
    ...pageQuery,
    gender: Type.Optional(GenderWord),
    tag: Type.Optional(Type.String({ maxLength: 100, description: 'One label; `tags` takes several' })),
    business_id: Type.Optional(Id),
    sort: Type.Optional(Type.String({ maxLength: 50 })),
  }),
  replies: { 200: Page(CustomerView) },
  run: async ({ tx, actor, query }) => {
    const { gender, tag, business_id, ...same } = query
    requireOwnBusiness(business_id, tx.workspaceId, '?business_id')
    const tags = [...tagsOf(same), ...(tag ? [tag] : [])]
    const known = readGender(gender ?? null)
    const asked = { ...same, ...(tags.length ? { tags } : {}), ...(known ? { gender: known } : {}) }
    const { data, ...rest } = await listContacts(tx, await openQuery(tx, actor, asked), (row) => row)
    return { ...rest, data: await viewCustomers(tx, data) }
  },
})

const showRoute = route({
  method: 'GET',
  path: '/customers/:id',
  may: 'contact.read',
  summary: 'One customer',
  params: CustomerPath,
  replies: { 200: CustomerView, 404: Problem },
  run: async ({ tx, params: { id } }) => {
    const contact = await getContact(tx, id)
    return record(await viewCustomer(tx, contact), contact.version)
  },
})

const changeRoute = route({
  method: 'PATCH',
  path: '/customers/:id',
  may: 'contact.write',
  summary: 'Change a customer: the fields that are named are replaced, the others stay',
  description: 'Each caller has CUSTOMER_PATCH_RATE (5 a minute unless configured); more are answered 429.',
  rate: ({ config: { limits } }) => `${limits.customerPatch.max}/${limits.customerPatch.windowSeconds} seconds`,
  params: CustomerPath,
  body: CustomerChange,
  replies: { 200: CustomerView, 404: Problem, 409: Problem, 412: Problem },
  run: async ({ tx, actor, params: { id }, body, services, ifVersion }) => {
    const change = toContactChange(body, tx.workspaceId)
    const contact = await updateContact(tx, actor, id, change, { services, ifVersion })
    return record(await viewCustomer(tx, contact), contact.version)
  },
})

const deleteRoute = route({
  method: 'DELETE',
  path: '/customers/:id',
  may: 'contact.write',
  summary: 'Delete a customer; POST /contacts/{id}/restore brings it back',
  params: CustomerPath,
  replies: { 200: Message, 404: Problem, 412: Problem },
  run: async ({ tx, actor, params: { id }, ifVersion }) => {
    await deleteContact(tx, actor, id, ifVersion)
    return { message: 'The customer was deleted. It can be restored.' }
  },
})

const statsRoute = route({
  method: 'GET',
  path: '/customers/:id/stats',
  may: 'contact.read',
  summary: 'Orders, appointments, lifetime value and engagement of a customer',
  params: CustomerPath,
  replies: { 200: CustomerStats, 404: Problem },
  run: ({ tx, params: { id } }) => customerStats(tx, id),
})

export const customerRoutes = [createRoute, listRoute, showRoute, changeRoute, deleteRoute, statsRoute]
