/** The doors of service level policies: everybody of the help desk reads them, admins change them. */
import { Type } from 'typebox'
import { created, record, route } from '#platform/http/route.ts'
import {
  Closed,
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
import { Audience } from '#modules/contacts/index.ts'
import { priorities, ticketSources } from '../tables.ts'
import { changePolicy, createPolicy, deletePolicy, getPolicy, listPolicies, restorePolicy } from './policies.ts'
import type { PolicyRow } from './tables.ts'

const params = Closed({ id: Id })

const Minutes = Type.Optional(
  Type.Unsafe<number | null>({
    type: ['integer', 'null'],
    minimum: 1,
    maximum: 525_600,
    description: 'Minutes of the calendar; absent or null promises nothing',
  }),
)
const TargetsShape = Closed(
  Object.fromEntries(
    priorities.map((priority) => [
      priority,
      Type.Optional(Closed({ first_response: Minutes, next_response: Minutes, resolution: Minutes })),
    ]),
  ),
  { description: 'By priority of the ticket' },
)
const words = (description: string) =>
  Type.Optional(
    Type.Array(Type.String({ minLength: 1, maxLength: 100, pattern: '\\S' }), { maxItems: 50, description }),
  )
const ConditionsShape = Closed(
  {
    categories: words('One of these'),
    tags: words('At least one of these'),
    sources: Type.Optional(Type.Array(OneOf(ticketSources), { maxItems: 10, description: 'One of these' })),
    contact: Type.Optional(Audience),
  },
  { description: 'All that are given must be met; none means every ticket. `contact` is about the requester' },
)

const name = Type.String({ minLength: 1, maxLength: 100, pattern: '\\S' })
const optional = {
  description: Type.Optional(Type.String({ maxLength: 2_000 })),
  position: Type.Optional(Type.Integer({ minimum: 0, maximum: 100_000, description: 'The lowest is tried first' })),
  is_active: Type.Optional(Type.Boolean()),
  conditions: Type.Optional(ConditionsShape),
  calendar_id: Type.Optional(
    Type.Unsafe<string | null>({ type: ['string', 'null'], format: 'uuid', description: 'Null counts day and night' }),
  ),
  pause_while_waiting: Type.Optional(
    Type.Boolean({ description: 'The resolution waits while the customer is waited for' }),
  ),
  warn_at_percent: Type.Optional(
    Type.Integer({ minimum: 50, maximum: 95, description: 'How much of the time is gone when a warning comes' }),
  ),
}
const NewPolicy = Closed({ name, ...optional, targets: TargetsShape })
const PolicyChange = Closed({ name: Type.Optional(name), ...optional, targets: Type.Optional(TargetsShape) })

const PolicyView = Type.Object(
  {
    id: Id,
    name,
    description: Type.String(),
    position: Type.Integer(),
    is_active: Type.Boolean(),
    conditions: ConditionsShape,
    targets: TargetsShape,
    calendar_id: NullableId,
    pause_while_waiting: Type.Boolean(),
    warn_at_percent: Type.Integer(),
    created_at: Timestamp,
    updated_at: Timestamp,
    deleted_at: NullableTimestamp,
  },
  { $id: 'SlaPolicy' },
)

const listRoute = route({
  method: 'GET',
  path: '/tickets/sla-policies',
  may: 'ticket.work',
  summary: 'Service level policies, in the order in which they are tried',
  query: Closed({
    ...pageQuery,
    search: Type.Optional(Type.String({ minLength: 1, maxLength: 100, description: 'In name and description' })),
    is_active: Type.Optional(Type.Boolean()),
    deleted: Type.Optional(Type.Boolean()),
    sort: Type.Optional(Type.String({ maxLength: 50, description: 'position, name, created_at, updated_at' })),
  }),
  replies: { 200: Page(PolicyView) },
  run: ({ tx, query }) => listPolicies(tx, query, viewPolicy),
})

const createRoute = route({
  method: 'POST',
  path: '/tickets/sla-policies',
  may: 'ticket.configure',
  summary: 'Make a service level policy',
  description:
    'The first active policy whose conditions a ticket meets holds for it. `first_response` runs until the first public ' +
    'answer of a person; `next_response` from each later word of the requester to the answer to it; `resolution` until ' +
    'the ticket is resolved, and goes on when it is opened again. `ticket.sla_warning` is told once for each time at which ' +
    'a ticket is due, when `warn_at_percent` (80) of the promised time is gone. Open tickets follow a new or changed policy within ' +
    'moments, and keep the time that has passed.',
  body: NewPolicy,
  replies: { 201: PolicyView, 409: Problem },
  run: async ({ tx, actor, body }) => {
    const row = await createPolicy(tx, actor, body)
    return created(viewPolicy(row), `/tickets/sla-policies/${row.id}`, row.version)
  },
})

const showRoute = route({
  method: 'GET',
  path: '/tickets/sla-policies/:id',
  may: 'ticket.work',
  summary: 'One service level policy',
  params,
  replies: { 200: PolicyView, 404: Problem },
  run: async ({ tx, params: { id } }) => {
    const row = await getPolicy(tx, id)
    return record(viewPolicy(row), row.version)
  },
})

const [replaceRoute, changeRoute] = (['PUT', 'PATCH'] as const).map((method) =>
  route({
    method,
    path: '/tickets/sla-policies/:id',
    may: 'ticket.configure',
    summary: 'Change a policy: what is named is replaced, all else stays; open tickets keep the time that has passed',
    params,
    body: PolicyChange,
    replies: { 200: PolicyView, 404: Problem, 409: Problem, 412: Problem },
    run: async ({ tx, actor, params: { id }, body, ifVersion }) => {
      const row = await changePolicy(tx, actor, id, body, ifVersion)
      return record(viewPolicy(row), row.version)
    },
  }),
)

const deleteRoute = route({
  method: 'DELETE',
  path: '/tickets/sla-policies/:id',
  may: 'ticket.configure',
  summary: 'Delete a policy; its tickets follow the next one that is for them. It can be restored',
  params,
  replies: { 200: Message, 404: Problem, 412: Problem },
  run: async ({ tx, actor, params: { id }, ifVersion }) => {
    await deletePolicy(tx, actor, id, ifVersion)
    return { message: 'The policy was deleted. It can be restored.' }
  },
})

const restoreRoute = route({
  method: 'POST',
  path: '/tickets/sla-policies/:id/restore',
  may: 'ticket.configure',
  summary: 'Bring a deleted policy back, unless its name was taken meanwhile',
  params,
  replies: { 200: PolicyView, 404: Problem, 409: Problem },
  run: async ({ tx, actor, params: { id } }) => {
    const row = await restorePolicy(tx, actor, id)
    return record(viewPolicy(row), row.version)
  },
})

export const policyRoutes = [listRoute, createRoute, showRoute, replaceRoute!, changeRoute!, deleteRoute, restoreRoute]

function viewPolicy({ workspace_id: _workspace, version: _version, ...shown }: PolicyRow) {
  return shown
}
