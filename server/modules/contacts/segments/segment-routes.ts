/** The doors of lists that follow a rule: bring them up to date now, and ask why somebody is in one. */
import { sql } from 'kysely'
import { Type } from 'typebox'
import type { Tx } from '#platform/db/db.ts'
import { NotFound } from '#platform/errors.ts'
import { viewJob } from '#platform/http/platform-routes.ts'
import { accepted, route } from '#platform/http/route.ts'
import { Closed, Id, JobView, NullableId, NullableTimestamp, OneOf, Problem } from '#platform/http/shapes.ts'
import { getJob } from '#platform/jobs/jobs.ts'
import { getList } from '../lists.ts'
import { explainRule } from '../rules/explain.ts'
import { resolveKept } from '../rules/resolve.ts'
import { ExplainedRule } from '../rules/rule-routes.ts'
import type { Rule } from '../rules/rule.ts'
import { requestRefresh } from './refresh-job.ts'

const refreshRoute = route({
  method: 'POST',
  path: '/lists/:id/refresh',
  may: 'contact.write',
  summary: 'Make a dynamic list hold whom its rule finds now, as a job',
  params: Closed({ id: Id }),
  replies: { 202: JobView, 404: Problem, 409: Problem },
  run: async ({ tx, actor, params: { id } }) => {
    const jobId = await requestRefresh(tx, id, actor.id)
    return accepted(viewJob(await getJob(tx, jobId)), `/jobs/${jobId}`)
  },
})

const whyRoute = route({
  method: 'GET',
  path: '/lists/:id/why/:contact_id',
  may: 'contact.read',
  summary: 'Why a contact is in a list, or not',
  params: Closed({ id: Id, contact_id: Id }),
  replies: {
    200: Type.Object({
      type: OneOf(['static', 'dynamic']),
      is_member: Type.Boolean(),
      matches: Type.Boolean({ description: 'What the rule says now; of a static list, the same as is_member' }),
      added_at: NullableTimestamp,
      added_by: NullableId,
      rule: Type.Unsafe<unknown>({ anyOf: [ExplainedRule, { type: 'null' }] }),
    }),
    404: Problem,
  },
  run: async ({ tx, params: { id, contact_id } }) => {
    const list = await getList(tx, id)
    const member = await findMember(tx, id, contact_id)
    const membership = {
      type: list.type,
      is_member: member.added_at !== null,
      added_at: member.added_at,
      added_by: member.added_by,
    }
    if (list.type === 'static') return { ...membership, matches: membership.is_member, rule: null }
    const resolved = await resolveKept(tx, list.criteria, '/criteria')
    if (!resolved.readable) return { ...membership, matches: false, rule: null }
    const rule = await explainRule(tx, list.criteria as Rule, resolved, contact_id)
    return { ...membership, matches: rule.matches, rule }
  },
})

export const segmentRoutes = [refreshRoute, whyRoute]

async function findMember(tx: Tx, listId: string, contactId: string) {
  const { rows } = await sql<{ added_at: Date | null; added_by: string | null }>`
    select m.added_at, m.added_by from contacts.contacts c
    left join contacts.list_members m on m.workspace_id = c.workspace_id and m.contact_id = c.id and m.list_id = ${listId}
    where c.id = ${contactId} and c.deleted_at is null`.execute(tx.sql)
  if (!rows[0]) throw new NotFound('contact')
  return rows[0]
}
