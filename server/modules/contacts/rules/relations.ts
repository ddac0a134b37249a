/** "Did", "did not", "so many times": a condition on the timeline of the row `c`. */
import { sql, type RawBuilder } from 'kysely'
import { addDays, startOfDay } from './days.ts'
import type { Relation } from './read-relation.ts'
import type { Resolved } from './resolve.ts'

const dayMs = 86_400_000

export function relationSql(rule: Resolved, relation: Relation): RawBuilder<boolean> {
  const { op, count } = relation
  const entries = entriesOf(rule, relation)
  const once = sql<boolean>`exists (select ${entries})`
  switch (op) {
    case 'never':
      return sql<boolean>`not ${once}`
    case 'at_least':
      // Whoever did it at all is found by the type's index; only they are counted.
      return count === 1 ? once : sql<boolean>`(${once} and ${counted(entries, count)} >= ${count}::int)`
    case 'at_most':
      return count === 0 ? sql<boolean>`not ${once}` : sql<boolean>`${counted(entries, count + 1)} <= ${count}::int`
    case 'exactly':
      if (count === 0) return sql<boolean>`not ${once}`
      return sql<boolean>`(${once} and ${counted(entries, count + 1)} = ${count}::int)`
    default:
      return op satisfies never
  }
}

/** How often, for people to read; no further than anybody would compare. */
export function timesSql(rule: Resolved, relation: Relation): RawBuilder<number> {
  return counted(entriesOf(rule, relation), 10_001)
}

/** Never counts further than it must: some contacts have a hundred thousand entries. */
function counted(entries: RawBuilder<unknown>, most: number): RawBuilder<number> {
  return sql<number>`(select count(*) from (select 1 ${entries} limit ${most}) as entry)`
}

function entriesOf(rule: Resolved, relation: Relation): RawBuilder<unknown> {
  const { type, machines, campaignId, bookingId } = relation
  const conditions = [
    sql`i.workspace_id = c.workspace_id and i.contact_id = c.id and i.interaction_type = ${type}`,
    ...periodOf(rule, relation),
    ...(machines ? [sql`not i.metadata @> '{"machine": true}'`] : []),
    ...(campaignId ? [sql`i.campaign_id = ${campaignId}::uuid`] : []),
    ...(bookingId ? [sql`i.booking_id = ${bookingId}`] : []),
  ]
  return sql`from contacts.interactions i where ${sql.join(conditions, sql` and `)}`
}

/** As instants, so that only the months in question are read. */
function periodOf({ now, timezone }: Resolved, { withinDays, beforeDays, between }: Relation): RawBuilder<unknown>[] {
  const ago = (days: number) => sql`${new Date(now.getTime() - days * dayMs)}::timestamptz`
  return [
    ...(withinDays === null ? [] : [sql`i.occurred_at >= ${ago(withinDays)}`]),
    ...(beforeDays === null ? [] : [sql`i.occurred_at < ${ago(beforeDays)}`]),
    ...(withinDays !== null && beforeDays === null ? [sql`i.occurred_at <= ${now}::timestamptz`] : []),
    ...(between
      ? [
          sql`i.occurred_at >= ${startOfDay(between[0], timezone)}::timestamptz`,
          sql`i.occurred_at < ${startOfDay(addDays(between[1], 1), timezone)}::timestamptz`,
        ]
      : []),
  ]
}
