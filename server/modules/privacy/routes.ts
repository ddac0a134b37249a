/** The doors of document 4's data protection: a copy of somebody's data, and its erasure. For admins alone. */
import { Type } from 'typebox'
import { accepted, Reply, route } from '#platform/http/route.ts'
import {
  AnyJson,
  Closed,
  Id,
  JobView,
  JsonObject,
  NullableId,
  NullableText,
  NullableTimestamp,
  OneOf,
  Page,
  pageQuery,
  Problem,
  Timestamp,
} from '#platform/http/shapes.ts'
import { NotFound } from '#platform/errors.ts'
import { getJob } from '#platform/jobs/jobs.ts'
import { viewJob } from '#platform/http/platform-routes.ts'
import type { Tx } from '#platform/db/db.ts'
import { audit, listAudit, verifyAudit, type AuditEntry } from './audit.ts'
import { keptDays, linkHours, linkTo } from './copy.ts'
import { previewErasure } from './erasure.ts'
import { inlineCopy } from './inline.ts'
import { listRequests, makeRequest, showRequest, type Request, type RequestRow } from './requests.ts'
import { findPerson, hashesOf, readAsked, strangerOf, subjectFields } from './subject.ts'

const Work = Type.Object({ ...JobView.properties, request_id: Id }, { $id: 'PrivacyJob' })
const Rows = Type.Unsafe<Record<string, number>>({
  type: 'object',
  additionalProperties: { type: 'integer' },
  description: 'Rows by table',
})
const Preview = Type.Object({
  preview: Type.Literal(true),
  contacts: Type.Integer({ description: 'Records of this person, deleted ones and duplicates too' }),
  rows: Rows,
  files: Type.Integer(),
})

const RequestView = Type.Object(
  {
    id: Id,
    kind: OneOf(['export', 'delete']),
    status: OneOf(['queued', 'running', 'succeeded', 'failed', 'canceled']),
    error: NullableText,
    subject: Type.String({ description: 'A pseudonym: the same for the same person, and nothing more' }),
    contacts: Type.Integer(),
    asked_by: NullableId,
    asked_by_name: Type.String(),
    job_id: NullableId,
    report: Type.Unsafe<unknown>({ description: 'What was found or erased, once it is done' }),
    file_size: Type.Unsafe<number | null>({ type: ['integer', 'null'] }),
    file_until: NullableTimestamp,
    created_at: Timestamp,
    completed_at: NullableTimestamp,
  },
  { $id: 'PrivacyRequest' },
)
const RequestDetails = Type.Object({
  ...RequestView.properties,
  download_url: Type.Unsafe<string | null>({
    type: ['string', 'null'],
    description: `Works for everybody who has it, for ${linkHours} hours; each call makes a new one while the copy is kept (${keptDays} days)`,
  }),
  download_expires_at: NullableTimestamp,
})

const exportRoute = route({
  method: 'POST',
  path: '/gdpr/export',
  may: 'privacy.manage',
  summary: 'A copy of everything that is kept about a person',
  description:
    'Say who is meant by `user_id`, `contact_id` or `email`. 202 with a job: it makes a ZIP with data.json, the person’s files ' +
    'and a page in their language; GET /gdpr/requests/{request_id} then has a link to it. `inline=true` answers 200 with ' +
    'data.json itself where that is small, and 202 where it is not.',
  query: Closed({ inline: Type.Optional(Type.Boolean()) }),
  body: Closed(subjectFields),
  replies: { 200: AnyJson, 202: Work, 404: Problem },
  run: async ({ tx, actor, body, query, services }) => {
    const asked = readAsked(body, tx.workspaceId)
    const document = query.inline ? await inlineCopy(tx, actor, asked, services) : null
    if (document) return new Reply(200, document, { 'content-type': 'application/json; charset=utf-8' })
    return viewWork(tx, await makeRequest(tx, actor, 'export', asked, services))
  },
})

const deleteRoute = route({
  method: 'POST',
  path: '/gdpr/delete',
  may: 'privacy.manage',
  summary: 'Erase a person from everything, for good',
  description:
    'Say who is meant by `user_id`, `contact_id` or `email`. 202 with a job whose result counts the rows by table. It cannot be ' +
    'undone; `preview: true` counts and changes nothing. Deleted records and duplicates of the person go as well. The ' +
    'address stays on the suppression list as a keyed hash. Asked again, it answers with the first request.',
  body: Closed({ ...subjectFields, preview: Type.Optional(Type.Boolean()) }),
  replies: { 200: Preview, 202: Work, 404: Problem },
  run: async ({ tx, actor, body, services }) => {
    const asked = readAsked(body, tx.workspaceId)
    if (!body.preview) return viewWork(tx, await makeRequest(tx, actor, 'delete', asked, services))
    const person = (await findPerson(tx, services, asked)) ?? strangerOf(asked)
    if (!person) throw new NotFound('person')
    const report = await previewErasure(tx, services, person)
    const [subjectHash = ''] = hashesOf(services, tx.workspaceId, person)
    await audit(tx, services, actor, { action: 'delete.previewed', subjectHash, requestId: null })
    return new Reply(200, { preview: true as const, contacts: person.contactIds.length, ...report })
  },
})

const listRoute = route({
  method: 'GET',
  path: '/gdpr/requests',
  may: 'privacy.manage',
  summary: 'Copies and erasures that were asked for, newest first',
  query: Closed({ ...pageQuery, kind: Type.Optional(OneOf(['export', 'delete'])) }),
  replies: { 200: Page(RequestView) },
  run: ({ tx, query }) => listRequests(tx, query, viewRequest),
})

const showRoute = route({
  method: 'GET',
  path: '/gdpr/requests/:id',
  may: 'privacy.manage',
  summary: 'One request, with a link to the copy while it is kept',
  params: Closed({ id: Id }),
  replies: { 200: RequestDetails, 404: Problem },
  run: async ({ tx, params: { id }, services }) => {
    const request = await showRequest(tx, id)
    const link = await linkTo(services, request, tx.now)
    return {
      ...viewRequest(request),
      download_url: link?.url ?? null,
      download_expires_at: link?.expires_at ?? null,
    }
  },
})

const AuditView = Type.Object(
  {
    number: Type.Integer(),
    action: Type.String(),
    actor_kind: Type.String(),
    actor_id: NullableId,
    actor_name: Type.String(),
    subject: Type.String({ description: 'A pseudonym, as in the requests' }),
    request_id: NullableId,
    details: JsonObject,
    created_at: Timestamp,
  },
  { $id: 'PrivacyAuditEntry' },
)

const auditRoute = route({
  method: 'GET',
  path: '/gdpr/audit',
  may: 'privacy.manage',
  summary: 'Who asked for whose data, newest first; nothing here can be changed',
  query: Closed({ ...pageQuery, action: Type.Optional(Type.String({ maxLength: 50 })) }),
  replies: { 200: Page(AuditView) },
  run: ({ tx, query }) => listAudit(tx, query, viewAudit),
})

const verifyRoute = route({
  method: 'GET',
  path: '/gdpr/audit/verification',
  may: 'privacy.manage',
  summary: 'Whether every entry of the ledger is what was written, in its place',
  replies: {
    200: Type.Object({
      intact: Type.Boolean(),
      entries: Type.Integer({ description: 'So many are in order; remember it, and a cut end is seen too' }),
      broken_at: Type.Unsafe<number | null>({ type: ['integer', 'null'] }),
    }),
  },
  run: ({ tx, services }) => verifyAudit(tx, services),
})

export const privacyRoutes = [exportRoute, deleteRoute, listRoute, showRoute, auditRoute, verifyRoute]

async function viewWork(tx: Tx, request: Request) {
  const job = await getJob(tx, request.job_id!)
  return accepted({ ...viewJob(job), request_id: request.id }, `/jobs/${job.id}`)
}

/** Jobs are forgotten after 90 days, and their requests are not. */
function viewRequest(row: RequestRow) {
  return {
    id: row.id,
    kind: row.kind,
    status: row.completed_at ? ('succeeded' as const) : ((row.status ?? 'failed') as 'queued'),
    error: row.error,
    subject: row.subject_hashes[0] ?? '',
    contacts: row.contacts,
    asked_by: row.asked_by,
    asked_by_name: row.asked_by_name,
    job_id: row.job_id,
    report: row.report,
    file_size: row.file_key ? row.file_size : null,
    file_until: row.file_key ? row.file_until : null,
    created_at: row.created_at,
    completed_at: row.completed_at,
  }
}

function viewAudit(entry: AuditEntry) {
  return {
    number: entry.number,
    action: entry.action,
    actor_kind: entry.actor_kind,
    actor_id: entry.actor_id,
    actor_name: entry.actor_name,
    subject: entry.subject_hash,
    request_id: entry.request_id,
    details: entry.details,
    created_at: entry.created_at,
  }
}
