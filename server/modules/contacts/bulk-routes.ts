/** The door of bulk actions: admins only. */
import { Type } from 'typebox'
import { accepted, Reply, route } from '#platform/http/route.ts'
import { JobView, Problem } from '#platform/http/shapes.ts'
import { authorize } from '#platform/actor.ts'
import { getJob } from '#platform/jobs/jobs.ts'
import { viewJob } from '#platform/http/platform-routes.ts'
import { openFilter } from './views/open.ts'
import { BulkAction, checkBulk, countMeant, startBulk } from './bulk.ts'

const DryRun = Type.Object({ dry_run: Type.Literal(true), matched: Type.Integer() })

const bulkRoute = route({
  method: 'POST',
  path: '/contacts/bulk-action',
  may: 'contact.bulk',
  summary: 'Do one thing to many contacts, as a job',
  description:
    'Name them by `contact_ids`, or by `filter` with the parameters of GET /contacts. `dry_run` counts them.',
  body: BulkAction,
  replies: { 200: DryRun, 202: JobView, 404: Problem },
  run: async ({ tx, actor, body: given, services }) => {
    const filter = await openFilter(tx, actor, given.filter, '/filter/view')
    const body = filter ? { ...given, filter } : given
    if (body.action === 'export') authorize(services.permissions, actor, 'contact.export')
    await checkBulk(tx, body)
    if (body.dry_run) return new Reply(200, { dry_run: true as const, matched: await countMeant(tx, body) })
    const id = await startBulk(tx, actor, body)
    return accepted(viewJob(await getJob(tx, id)), `/jobs/${id}`)
  },
})

export const bulkRoutes = [bulkRoute]
