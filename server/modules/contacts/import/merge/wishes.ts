/** What a staged row says about consent, as expressions over the row `r`. */
import { sql } from 'kysely'
import type { Expression, FlaggedPurpose, Wave } from './plan.ts'

/** The person has left, or can no longer be reached: no purpose is left to them. */
export function hasLeft({ has }: Pick<Wave, 'has'>): Expression<boolean> {
  return has.has('status') ? sql<boolean>`coalesce(r.status, 'active') <> 'active'` : sql<boolean>`false`
}

/** The row itself says no to a purpose. Never null. */
export function refuses(at: Pick<Wave, 'has'>, purpose: FlaggedPurpose): Expression<boolean> {
  const column = `${purpose}_subscribed` as const
  const said = at.has.has(column) ? sql<boolean>`coalesce(not ${sql.ref(`r.${column}`)}, false)` : sql<boolean>`false`
  return sql<boolean>`(${hasLeft(at)} or ${said})`
}

/** The file says yes and the importer declared how that came about. Never null. */
export function grants(at: Pick<Wave, 'has' | 'plan'>, purpose: FlaggedPurpose): Expression<boolean> {
  const { consent } = at.plan
  if (!consent) return sql<boolean>`false`
  const declared = consent[purpose] === true
  const column = `${purpose}_subscribed` as const
  const said = at.has.has(column)
    ? sql<boolean>`coalesce(${sql.ref(`r.${column}`)}, ${declared}::boolean)`
    : sql<boolean>`${declared}::boolean`
  return sql<boolean>`(not ${refuses(at, purpose)} and ${said})`
}

/** Whether somebody new begins subscribed. */
export function subscribes(at: Pick<Wave, 'has' | 'plan'>, purpose: FlaggedPurpose): Expression<boolean> {
  return sql<boolean>`(${grants(at, purpose)} and not r.suppressed)`
}
