/** The doors of lists. Document 5 calls the same rows groups; `group-routes.ts` shows them under that name. */
import { Type } from 'typebox'
import { created, record, route } from '#platform/http/route.ts'
import {
  Closed,
  Color,
  Id,
  Message,
  NullableId,
  NullableTimestamp,
  OneOf,
  Page,
  pageQuery,
  Problem,
  Timestamp,
} from '#platform/http/shapes.ts'
import { readThrough } from './cached-reads.ts'
import { filterFields, listContacts } from './contact-query.ts'
import { ContactView } from './contact-view.ts'
import { RuleProblems } from './rules/rule-routes.ts'
import { RuleShape } from './rules/rule.ts'
import { criteriaProblems } from './segments/criteria.ts'
import {
  createList,
  deleteList,
  duplicateList,
  getList,
  listLists,
  restoreList,
  updateList,
  type List,
} from './lists.ts'

const params = Closed({ id: Id })

const listFields = {
  id: Id,
  name: Type.String(),
  description: Type.String(),
  type: OneOf(['static', 'dynamic']),
  color: Type.String(),
  contact_count: Type.Integer(),
  is_active: Type.Boolean({ description: 'A dynamic list that is not active is paused: its members stay as they are' }),
  criteria: Type.Unsafe<unknown>({
    type: ['object', 'null'],
    additionalProperties: true,
    description: 'Of dynamic lists',
  }),
  last_refreshed_at: NullableTimestamp,
  refresh_job_id: NullableId,
  created_at: Timestamp,
  updated_at: Timestamp,
  deleted_at: NullableTimestamp,
}
const ListView = Type.Object(listFields, { $id: 'List' })
const ListDetails = Type.Object({
  ...listFields,
  problems: RuleProblems,
  contacts: Type.Array(ContactView, { description: 'The newest fifty; /lists/{id}/contacts has them all' }),
})

export const listInput = {
  description: Type.Optional(Type.String({ maxLength: 2_000 })),
  color: Type.Optional(Color),
}
const name = Type.String({ minLength: 1, maxLength: 100, pattern: '\\S' })
export const NewList = Closed({
  name,
  ...listInput,
  type: Type.Optional(OneOf(['static'])),
  is_active: Type.Optional(Type.Boolean()),
})
export const ListChange = Closed({ name: Type.Optional(name), ...listInput, is_active: Type.Optional(Type.Boolean()) })

/** Groups are always static; lists may follow a rule. */
const criteria = Type.Optional(RuleShape)
const NewAnyList = Closed({ ...NewList.properties, type: Type.Optional(OneOf(['static', 'dynamic'])), criteria })
const AnyListChange = Closed({ ...ListChange.properties, criteria })

const listListsRoute = route({
  method: 'GET',
  path: '/lists',
  may: 'contact.read',
  summary: 'Lists of contacts',
  query: Closed({
    ...pageQuery,
    search: filterFields.search,
    type: Type.Optional(OneOf(['static', 'dynamic'])),
    is_active: Type.Optional(Type.Boolean()),
    deleted: Type.Optional(Type.Boolean()),
    sort: Type.Optional(Type.String({ maxLength: 50, description: 'name, contact_count, created_at, updated_at' })),
  }),
  replies: { 200: Page(ListView) },
  run: ({ tx, query, services }) =>
    readThrough(tx, services, 'lists', ['lists', query], () => listLists(tx, query, viewList)),
})

const createListRoute = route({
  method: 'POST',
  path: '/lists',
  may: 'contact.write',
  summary: 'Make a list',
  description:
    'A static list is filled by hand. A dynamic one has `criteria`, a rule as POST /contacts/filter/count describes it, and ' +
    'follows it: a job fills it (`refresh_job_id`), changes of contacts are followed at once, and what time alone changes, ' +
    'every hour.',
  body: NewAnyList,
  replies: { 201: ListView, 409: Problem },
  run: async ({ tx, actor, body }) => {
    const list = await createList(tx, actor, body)
    return created(viewList(list), `/lists/${list.id}`, list.version)
  },
})

const showListRoute = route({
  method: 'GET',
  path: '/lists/:id',
  may: 'contact.read',
  summary: 'One list, with its newest contacts',
  params,
  replies: { 200: ListDetails, 404: Problem },
  run: async ({ tx, params: { id } }) => {
    const list = await getList(tx, id)
    const { data } = await listContacts(tx, { list: id })
    const problems = list.type === 'dynamic' ? await criteriaProblems(tx, list.criteria) : []
    return record({ ...viewList(list), problems, contacts: data }, list.version)
  },
})

const [replaceListRoute, changeListRoute] = (['PUT', 'PATCH'] as const).map((method) =>
  route({
    method,
    path: '/lists/:id',
    may: 'contact.write',
    summary: 'Change a list: the fields that are named are replaced, the others stay',
    params,
    body: AnyListChange,
    replies: { 200: ListView, 404: Problem, 409: Problem, 412: Problem },
    run: async ({ tx, actor, params: { id }, body, ifVersion }) => {
      const list = await updateList(tx, actor, id, body, ifVersion)
      return record(viewList(list), list.version)
    },
  }),
)

const deleteListRoute = route({
  method: 'DELETE',
  path: '/lists/:id',
  may: 'contact.write',
  summary: 'Delete a list, not its contacts; it can be restored',
  params,
  replies: { 200: Message, 404: Problem, 412: Problem },
  run: async ({ tx, actor, params: { id }, ifVersion }) => {
    await deleteList(tx, actor, id, ifVersion)
    return { message: 'The list was deleted. It can be restored.' }
  },
})

const restoreListRoute = route({
  method: 'POST',
  path: '/lists/:id/restore',
  may: 'contact.write',
  summary: 'Bring a deleted list back with its members, unless its name was taken meanwhile',
  params,
  replies: { 200: ListView, 404: Problem, 409: Problem },
  run: async ({ tx, actor, params: { id } }) => {
    const list = await restoreList(tx, actor, id)
    return record(viewList(list), list.version)
  },
})

const duplicateListRoute = route({
  method: 'POST',
  path: '/lists/:id/duplicate',
  may: 'contact.write',
  summary: 'Copy a list with its members, a dynamic one with its rule',
  params,
  body: Type.Unsafe<{ name?: string; static?: boolean } | null>({
    ...Closed({
      name: Type.Optional(name),
      static: Type.Optional(
        Type.Boolean({ description: 'The copy of a dynamic list keeps its present members instead' }),
      ),
    }),
    type: ['object', 'null'],
  }),
  replies: { 201: ListView, 404: Problem, 409: Problem },
  run: async ({ tx, actor, params: { id }, body }) => {
    const list = await duplicateList(tx, actor, id, { name: body?.name, freeze: body?.static })
    return created(viewList(list), `/lists/${list.id}`, list.version)
  },
})

export const listRoutes = [
  listListsRoute,
  createListRoute,
  showListRoute,
  replaceListRoute!,
  changeListRoute!,
  deleteListRoute,
  restoreListRoute,
  duplicateListRoute,
]

export function viewList({ workspace_id: _workspace, version: _version, ...shown }: List) {
  return shown
}
