/** The doors of the policy for inactive contacts: admins only. */
import { Type } from 'typebox'
import { accepted, record, route } from '#platform/http/route.ts'
import {
  Closed,
  Id,
  JobView,
  NullableId,
  NullableText,
  NullableTimestamp,
  OneOf,
  Problem,
  Timestamp,
} from '#platform/http/shapes.ts'
import { viewJob } from '#platform/http/platform-routes.ts'
import { getJob } from '#platform/jobs/jobs.ts'
import { getPolicy, mergePolicy, previewPolicy, setPolicy, startCleanup } from './policy.ts'
import { inactiveActions } from './tables.ts'

const PolicyBody = Closed({
  enabled: Type.Optional(Type.Boolean()),
  inactive_days: Type.Optional(Type.Integer({ minimum: 30, maximum: 3_650, description: 'Silent for so many days' })),
  action: Type.Optional(OneOf(inactiveActions, { description: 'Deleted contacts can be restored' })),
  tag: Type.Optional(
    Type.Unsafe<string | null>({
      type: ['string', 'null'],
      maxLength: 100,
      pattern: '^[^,]*$',
      description: 'For the action tag',
    }),
  ),
  exclude_tags: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 100 }), { maxItems: 50 })),
  exclude_lists: Type.Optional(Type.Array(Id, { maxItems: 50 })),
  exclude_with_orders: Type.Optional(Type.Boolean({ description: 'Leaves whoever ever bought anything' })),
  exclude_with_bookings: Type.Optional(Type.Boolean()),
  exclude_subscribed: Type.Optional(Type.Boolean()),
})

const PolicyView = Type.Object({
  enabled: Type.Boolean(),
  inactive_days: Type.Integer(),
  action: OneOf(inactiveActions),
  tag: NullableText,
  exclude_tags: Type.Array(Type.String()),
  exclude_lists: Type.Array(Id),
  exclude_with_orders: Type.Boolean(),
  exclude_with_bookings: Type.Boolean(),
  exclude_subscribed: Type.Boolean(),
  last_job_id: NullableId,
  last_run_at: NullableTimestamp,
})

const showRoute = route({
  method: 'GET',
  path: '/contacts/inactive-policy',
  may: 'contact.bulk',
  summary: 'What is done on the first of each month with contacts of whom nothing was heard for long',
  replies: { 200: PolicyView },
  run: async ({ tx }) => {
    const policy = await getPolicy(tx)
    return record(policy, policy.version)
  },
})

const setRoute = route({
  method: 'PUT',
  path: '/contacts/inactive-policy',
  may: 'contact.bulk',
  summary: 'Set that policy: what is named is replaced, all else stays; it is off until `enabled`',
  body: PolicyBody,
  replies: { 200: PolicyView, 412: Problem },
  run: async ({ tx, actor, body, ifVersion }) => {
    const policy = await setPolicy(tx, actor, body, ifVersion)
    return record(policy, policy.version)
  },
})

const previewRoute = route({
  method: 'POST',
  path: '/contacts/inactive-policy/preview',
  may: 'contact.bulk',
  summary: 'Whom the policy would mean today, with what the body names instead of what is stored; changes nothing',
  body: PolicyBody,
  replies: {
    200: Type.Object({
      matched: Type.Integer(),
      sample: Type.Array(
        Type.Object({ id: Id, email: Type.String(), full_name: Type.String(), last_seen_at: Timestamp }),
        { description: 'Twenty, the longest silent first' },
      ),
    }),
  },
  run: async ({ tx, body }) => previewPolicy(tx, await mergePolicy(tx, body)),
})

const runRoute = route({
  method: 'POST',
  path: '/contacts/inactive-policy/run',
  may: 'contact.bulk',
  summary: 'Run the policy now, as a job',
  replies: { 202: JobView, 409: Problem },
  run: async ({ tx, actor }) => {
    const id = await startCleanup(tx, actor)
    return accepted(viewJob(await getJob(tx, id)), `/jobs/${id}`)
  },
})

export const inactiveRoutes = [showRoute, setRoute, previewRoute, runRoute]
