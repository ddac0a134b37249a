/** The rule of a dynamic list: judged before it is kept, so that what is kept can be run, and runs in no circle. */
import { sql } from 'kysely'
import type { Tx } from '#platform/db/db.ts'
import { Invalid, type InputError } from '#platform/errors.ts'
import { readRule } from '../rules/read.ts'
import { referencesOf, type References } from '../rules/references.ts'
import { resolveKept, resolveRule } from '../rules/resolve.ts'
import type { Rule } from '../rules/rule.ts'

/** Throws `Invalid` at `/criteria…`. A list that is being made cannot be in a circle yet. */
export async function checkCriteria(tx: Tx, criteria: Rule, listId: string | null): Promise<void> {
  const { root } = await resolveRule(tx, criteria, '/criteria')
  const { lists } = referencesOf(root)
  if (listId && lists.size) await refuseCircle(tx, listId, lists)
}

export function requireCriteria(type: 'static' | 'dynamic', criteria: Rule | null | undefined): void {
  if (type === 'dynamic' && !criteria) {
    throw Invalid.at('/criteria', 'required', 'A dynamic list needs a rule that says who is in it.')
  }
  if (type === 'static' && criteria) {
    throw Invalid.at(
      '/criteria',
      'list_is_static',
      'A static list has no rule: people fill it. Make it with type “dynamic”.',
    )
  }
}

/** What a rule that is kept depends on; null when it cannot be read (any more). */
export function dependenciesOf(criteria: unknown): References | null {
  const { root } = readRule(criteria, '/criteria')
  return root && referencesOf(root)
}

/** What of a rule that is kept is not there any more, or not what it was. */
export async function criteriaProblems(tx: Tx, criteria: unknown): Promise<InputError[]> {
  return (await resolveKept(tx, criteria, '/criteria')).problems
}

/** One rule that names lists is judged at a time: two changes at once could close a circle that neither of them sees. */
async function refuseCircle(tx: Tx, listId: string, named: Map<string, string>): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`contacts.criteria ${tx.workspaceId}`}, 0))`.execute(tx.sql)
  const { rows } = await sql<{ id: string; criteria: unknown }>`
    select id, criteria from contacts.lists
    where workspace_id = ${tx.workspaceId} and type = 'dynamic'`.execute(tx.sql)
  const dependencies = new Map(rows.map(({ id, criteria }) => [id, dependenciesOf(criteria)?.lists ?? new Map()]))
  const leadsBack = (id: string, seen = new Set<string>()): boolean => {
    if (id === listId) return true
    if (seen.has(id)) return false
    seen.add(id)
    return [...(dependencies.get(id)?.keys() ?? [])].some((next) => leadsBack(String(next), seen))
  }
  const closing = [...named].filter(([id]) => leadsBack(id))
  if (!closing.length) return
  const detail = 'This list’s own rule leads back to the list that you change. A rule cannot depend on itself.'
  const errors = closing.map(([, pointer]) => ({ pointer, code: 'circular', detail }))
  throw new Invalid('invalid', detail, { errors })
}
