/** The door of bulk actions: admins only. */
import { Type } from 'typebox'
import { accepted, Reply, route } from '#platform/http/route.ts'
import { JobView, Problem } from '#platform/http/shapes.ts'
import { authorize } from '#platform/actor.ts'
import { getJob } from '#platform/jobs/jobs.ts'
import { viewJob } from '#platform/http/platform-routes.ts'
import { openFilter } from '../views/open.ts'
import { rehearse } from './dry-run.ts'
import { BulkAction } from './request.ts'
import { settableFields } from './set-field.ts'
import { checkBulk, startBulk } from './start.ts'

const DryRun = Type.Object({
  dry_run: Type.Literal(true),
  matched: Type.Integer({ description: 'Contacts meant: would_change, unchanged and refused add up to it' }),
  would_change: Type.Integer(),
  unchanged: Type.Integer({ description: 'That are so already' }),
  refused: Type.Unsafe<Record<string, number>>({
    type: 'object',
    additionalProperties: { type: 'integer' },
    description:
      'By reason: said_no, unsubscribed_by_person, complained, bounced, email_taken, custom_fields_full, list_gone',
  }),
  not_found: Type.Integer({ description: 'Of contact_ids, those that name nobody the action could mean' }),
})

const bulkRoute = route({
  method: 'POST',
  path: '/contacts/bulk-action',
  may: 'contact.bulk',
  summary: 'Do one thing to many contacts, as a job',
  description:
    'Name them by `contact_ids`, or by `filter`: the parameters of GET /contacts, or a rule. `dry_run` counts what would happen. ' +
    `set_field takes \`field\` (${settableFields.join(', ')}, custom_fields.<key>) and \`value\`; set_status a \`status\`, which only ever becomes stricter, but for a bounce; ` +
    'subscribe never stands against a “no”. The job can be canceled after any batch; its result has the counts and the `operation_id`, by which it is undone: POST /contacts/operations/{id}/undo.',
  body: BulkAction,
  replies: { 200: DryRun, 202: JobView, 404: Problem },
  run: async ({ tx, actor, body: given, services }) => {
    const filter = await openFilter(tx, actor, given.filter, '/filter/view')
    const body = filter ? { ...given, filter } : given
    if (body.action === 'export') authorize(services.permissions, actor, 'contact.export')
    await checkBulk(tx, actor, body, services)
    if (body.dry_run) return new Reply(200, { dry_run: true as const, ...(await rehearse(tx, actor, body, services)) })
    const id = await startBulk(tx, actor, body, services)
    return accepted(viewJob(await getJob(tx, id)), `/jobs/${id}`)
  },
})

export const bulkRoutes = [bulkRoute]
