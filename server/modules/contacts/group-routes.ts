/** Groups as document 5 names them: the same rows as lists, in its shape and at its addresses. */
import { Type } from 'typebox'
import type { Tx } from '#platform/db/db.ts'
import { NotFound } from '#platform/errors.ts'
import { created, record, route } from '#platform/http/route.ts'
import { Closed, Id, Message, Page, pageQuery, Problem, Timestamp } from '#platform/http/shapes.ts'
import { readThrough } from './cached-reads.ts'
import { filterFields } from './contact-query.ts'
import { getContact } from './contacts.ts'
import { ListChange, NewList } from './list-routes.ts'
import { createList, deleteList, getList, listLists, updateList, type List } from './lists.ts'
import { ContactIds } from './member-routes.ts'
import { addToList, removeFromList, syncList } from './membership.ts'

const params = Closed({ id: Id })
/** Document 5 has its contacts as a field of the group: all of them, when a group is changed. */
const contacts = Type.Optional(ContactIds)

const GroupView = Type.Object(
  {
    id: Id,
    name: Type.String(),
    description: Type.String(),
    color: Type.String(),
    contact_count: Type.Integer(),
    created_at: Timestamp,
    updated_at: Timestamp,
  },
  { $id: 'Group' },
)

const listGroupsRoute = route({
  method: 'GET',
  path: '/contacts/groups',
  may: 'contact.read',
  summary: 'Groups of contacts (the same as lists)',
  query: Closed({
    ...pageQuery,
    search: filterFields.search,
    sort: Type.Optional(Type.String({ maxLength: 50, description: 'name, contact_count, created_at, updated_at' })),
  }),
  replies: { 200: Page(GroupView) },
  run: ({ tx, query, services }) =>
    readThrough(tx, services, 'lists', ['groups', query], () => listLists(tx, { ...query, type: 'static' }, viewGroup)),
})

const createGroupRoute = route({
  method: 'POST',
  path: '/contacts/groups',
  may: 'contact.write',
  summary: 'Make a group, with its first contacts',
  body: Closed({ ...NewList.properties, contacts }),
  replies: { 201: GroupView, 409: Problem },
  run: async ({ tx, actor, body: { contacts: first, ...input } }) => {
    const made = await createList(tx, actor, input)
    if (first?.length) await addToList(tx, actor, made.id, first)
    const group = first?.length ? await getGroup(tx, made.id) : made
    return created(viewGroup(group), `/contacts/groups/${group.id}`, group.version)
  },
})

const showGroupRoute = route({
  method: 'GET',
  path: '/contacts/groups/:id',
  may: 'contact.read',
  summary: 'One group; its contacts are at /contacts?group=',
  params,
  replies: { 200: GroupView, 404: Problem },
  run: async ({ tx, params: { id } }) => {
    const group = await getGroup(tx, id)
    return record(viewGroup(group), group.version)
  },
})

const [replaceGroupRoute, changeGroupRoute] = (['PUT', 'PATCH'] as const).map((method) =>
  route({
    method,
    path: '/contacts/groups/:id',
    may: 'contact.write',
    summary: 'Change a group: the fields that are named are replaced, the others stay',
    params,
    body: Closed({ ...ListChange.properties, contacts }),
    replies: { 200: GroupView, 404: Problem, 409: Problem, 412: Problem },
    run: async ({ tx, actor, params: { id }, body: { contacts: all, ...input }, ifVersion }) => {
      await getGroup(tx, id)
      const changed = await updateList(tx, actor, id, input, ifVersion)
      if (all) await syncList(tx, actor, id, all)
      const group = all ? await getGroup(tx, id) : changed
      return record(viewGroup(group), group.version)
    },
  }),
)

const deleteGroupRoute = route({
  method: 'DELETE',
  path: '/contacts/groups/:id',
  may: 'contact.write',
  summary: 'Delete a group, not its contacts',
  params,
  replies: { 200: Message, 404: Problem, 412: Problem },
  run: async ({ tx, actor, params: { id }, ifVersion }) => {
    await getGroup(tx, id)
    await deleteList(tx, actor, id, ifVersion)
    return { message: 'The group was deleted. It can be restored.' }
  },
})

const changes = { add: addToList, remove: removeFromList }

const [addRoute, removeRoute] = (['add', 'remove'] as const).map((change) =>
  route({
    method: 'POST',
    path: `/contacts/:id/groups/:group_id/${change}`,
    may: 'contact.write',
    summary: change === 'add' ? 'Put a contact into a group' : 'Take a contact out of a group',
    params: Closed({ id: Id, group_id: Id }),
    replies: { 200: Message, 404: Problem },
    run: async ({ tx, actor, params: { id, group_id } }) => {
      await getContact(tx, id)
      const { changed } = await changes[change](tx, actor, group_id, [id])
      if (change === 'add')
        return { message: changed ? 'The contact was added to the group.' : 'The contact was in the group already.' }
      return { message: changed ? 'The contact was removed from the group.' : 'The contact was not in the group.' }
    },
  }),
)

export const groupRoutes = [
  listGroupsRoute,
  createGroupRoute,
  showGroupRoute,
  replaceGroupRoute!,
  changeGroupRoute!,
  deleteGroupRoute,
  addRoute!,
  removeRoute!,
]

/** A list that follows a rule is no group: document 5 knows only those that people fill. */
async function getGroup(tx: Tx, id: string): Promise<List> {
  const list = await getList(tx, id)
  if (list.type !== 'static') throw new NotFound('group')
  return list
}

function viewGroup({ id, name, description, color, contact_count, created_at, updated_at }: List) {
  return { id, name, description, color, contact_count, created_at, updated_at }
}
