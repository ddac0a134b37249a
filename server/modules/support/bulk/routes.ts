/** The doors of bulk actions upon tickets, and of the log by which they are undone. */
import { Type } from 'typebox'
import { viewJob } from '#platform/http/platform-routes.ts'
import { accepted, record, Reply, route } from '#platform/http/route.ts'
import {
  Closed,
  Id,
  JobView,
  JsonObject,
  NullableId,
  NullableTimestamp,
  OneOf,
  Page,
  pageQuery,
  Problem,
  Timestamp,
} from '#platform/http/shapes.ts'
import { getJob } from '#platform/jobs/jobs.ts'
import type { TicketFilter } from '../ticket-filter.ts'
import { openView } from '../views/open.ts'
import { rehearse } from './dry-run.ts'
import { startBulk } from './job.ts'
import { getOperation, listOperations, undoDays } from './operations.ts'
import { actionNames, BulkAction, checkBulk, type Meant } from './request.ts'
import type { Operation } from './tables.ts'
import { startUndo } from './undo.ts'

const params = Closed({ id: Id })

const DryRun = Type.Object({
  dry_run: Type.Literal(true),
  matched: Type.Integer({ description: 'Tickets meant: would_change, unchanged and refused add up to it' }),
  would_change: Type.Integer(),
  unchanged: Type.Integer({ description: 'That are so already' }),
  refused: Type.Unsafe<Record<string, number>>({
    type: 'object',
    additionalProperties: { type: 'integer' },
    description: 'By reason: ticket_status, ticket_unassigned, tags_full',
  }),
  not_found: Type.Integer({ description: 'Of ticket_ids, those that name nothing the action could mean' }),
})

const bulkRoute = route({
  method: 'POST',
  path: '/tickets/bulk-action',
  may: 'ticket.work',
  summary: 'Do one thing to many tickets, as a job',
  description:
    'Name them by `ticket_ids`, or by `filter`: the parameters of GET /tickets, `view` among them. Each ticket is changed as ' +
    'a single one would be, with the same rules, history and events; only those that whoever asks may see are meant, and ' +
    'what the rules refuse is counted by its reason. `dry_run` counts what would happen. Deleting and restoring are for ' +
    'admins. The job can be canceled after any batch; its result has the counts and the `operation_id`, by which it is ' +
    `undone for ${undoDays} days: POST /tickets/operations/{id}/undo.`,
  body: BulkAction,
  replies: { 200: DryRun, 202: JobView, 403: Problem },
  run: async ({ tx, actor, body, services: { permissions } }) => {
    await checkBulk(tx, actor, body, permissions)
    const given: TicketFilter & { view?: string; sort?: string } = { ...body.filter }
    const { sort: _order, ...filter } = await openView(tx, actor, given, '/filter/view')
    const meant: Meant = {
      action: body.action,
      ...(body.ticket_ids ? { ticket_ids: body.ticket_ids } : { filter }),
      params: body.params ?? {},
      askedAt: tx.now.toISOString(),
    }
    if (body.dry_run) return new Reply(200, { dry_run: true as const, ...(await rehearse(tx, actor, meant)) })
    const id = await startBulk(tx, actor, meant)
    return accepted(viewJob(await getJob(tx, id)), `/jobs/${id}`)
  },
})

const OperationView = Type.Object(
  {
    id: Id,
    action: OneOf(actionNames),
    actor_id: NullableId,
    actor_name: Type.String(),
    facts: Type.Unsafe<Record<string, unknown>>({
      ...JsonObject,
      description: 'What was set, and whether the tickets were named by ids or by filter',
    }),
    counts: Type.Unsafe<Record<string, unknown>>({
      ...JsonObject,
      description: 'matched, changed, unchanged, refused by reason; as far as the job has come',
    }),
    job_id: NullableId,
    undo_job_id: NullableId,
    created_at: Timestamp,
    undoable_until: Timestamp,
    undone_at: NullableTimestamp,
    undone_by_name: Type.String(),
  },
  { $id: 'TicketOperation' },
)

function view(operation: Operation) {
  const { id, action, actor_id, actor_name, facts, counts, job_id, undo_job_id } = operation
  const { created_at, undoable_until, undone_at, undone_by_name } = operation
  const what = { id, action, actor_id, actor_name, facts, counts, job_id, undo_job_id }
  return { ...what, created_at, undoable_until, undone_at, undone_by_name }
}

const listRoute = route({
  method: 'GET',
  path: '/tickets/operations',
  may: 'ticket.work',
  summary: `What one did to many tickets at once in the last ${undoDays} days, newest first; admins see everybody’s`,
  query: Closed(pageQuery),
  replies: { 200: Page(OperationView) },
  run: ({ tx, actor, query, services: { permissions } }) => listOperations(tx, actor, { ...query, permissions }, view),
})

const showRoute = route({
  method: 'GET',
  path: '/tickets/operations/:id',
  may: 'ticket.work',
  summary: 'One bulk action upon tickets, and what came of it',
  params,
  replies: { 200: OperationView, 404: Problem },
  run: async ({ tx, actor, params: { id }, services: { permissions } }) =>
    record(view(await getOperation(tx, actor, id, permissions)), 1),
})

const undoRoute = route({
  method: 'POST',
  path: '/tickets/operations/:id/undo',
  may: 'ticket.work',
  summary: 'Take a bulk action upon tickets back, as a job',
  description:
    'Puts back what nobody has changed since, as far as the life of a ticket allows; the result counts what stays, by ' +
    'reason. Those who ended are opened again by it, and closed ones never become merely resolved.',
  params,
  replies: { 202: JobView, 403: Problem, 404: Problem, 409: Problem },
  run: async ({ tx, actor, params: { id }, services: { permissions } }) => {
    const job = await startUndo(tx, actor, id, permissions)
    return accepted(viewJob(job), `/jobs/${job.id}`)
  },
})

export const bulkRoutes = [bulkRoute, listRoute, showRoute, undoRoute]
