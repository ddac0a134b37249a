/** The doors of the operation log: look, and undo. */
import { Type } from 'typebox'
import { viewJob } from '#platform/http/platform-routes.ts'
import { accepted, record, Reply, route } from '#platform/http/route.ts'
import { Closed, Id, JobView, OneOf, Page, pageQuery, Problem } from '#platform/http/shapes.ts'
import { contactHistory, firstChanges, getOperation, listOperations, shownMax } from './log.ts'
import { operationKinds } from './tables.ts'
import { undoneAtOnceMax, undoOperation } from './undo.ts'
import { ContactChanges, operationFields, OperationView, UndoView, viewOperation } from './views.ts'

const params = Closed({ id: Id })
const filters = {
  kind: Type.Optional(OneOf(operationKinds)),
  actor: Type.Optional(Type.String({ format: 'uuid', description: 'Id of the user or key' })),
  since: Type.Optional(Type.String({ format: 'date-time' })),
}

const listRoute = route({
  method: 'GET',
  path: '/contacts/operations',
  may: 'contact.read',
  summary: 'What was done to contacts in the last 30 days, newest first',
  query: Closed({ ...pageQuery, ...filters, contact_id: Type.Optional(Id) }),
  replies: { 200: Page(OperationView) },
  run: ({ tx, query }) => listOperations(tx, query, viewOperation),
})

const showRoute = route({
  method: 'GET',
  path: '/contacts/operations/:id',
  may: 'contact.read',
  summary: 'One operation, with what was there before and after',
  description: `Of the first ${shownMax} contacts that it changed, field by field. An import shows whom it changed in its own list.`,
  params,
  replies: { 200: Type.Object({ ...operationFields, changes: Type.Array(ContactChanges) }), 404: Problem },
  run: async ({ tx, params: { id } }) => {
    const operation = await getOperation(tx, id)
    return record({ ...viewOperation(operation), changes: await firstChanges(tx, id) }, 1)
  },
})

const undoRoute = route({
  method: 'POST',
  path: '/contacts/operations/:id/undo',
  may: 'contact.write',
  summary: 'Take an operation back',
  description: `Puts back what nobody has changed since, and says what stays and why. A "no" of a person never becomes a "yes" by it. Up to ${undoneAtOnceMax} contacts at once (200); more, and imports, as a job (202). Undoing an undo does the thing again. Who may do a thing may undo it.`,
  params,
  replies: { 200: UndoView, 202: JobView, 404: Problem, 409: Problem },
  run: async ({ tx, actor, params: { id }, services }) => {
    const undone = await undoOperation(tx, actor, id, services)
    return 'job' in undone ? accepted(viewJob(undone.job), `/jobs/${undone.job.id}`) : new Reply(200, undone)
  },
})

const historyRoute = route({
  method: 'GET',
  path: '/contacts/:id/history',
  may: 'contact.read',
  summary: 'The operations that touched one contact, newest first',
  params,
  query: Closed({ ...pageQuery, ...filters }),
  replies: { 200: Page(OperationView), 404: Problem },
  run: ({ tx, params: { id }, query }) => contactHistory(tx, id, query, viewOperation),
})

export const operationRoutes = [listRoute, showRoute, undoRoute, historyRoute]
