/**
 * The engagement score of a contact, as document 1 defines it: opens, clicks and purchases by their weights, and a bonus
 * for recent activity. Written twice, for one contact and as SQL for many; a test holds the two together.
 */
import { sql, type RawBuilder } from 'kysely'

export interface Weights {
  openWeight: number
  clickWeight: number
  purchaseWeight: number
}

export interface EngagementCounts {
  total_emails_opened: number
  total_emails_clicked: number
  total_purchases: number
  last_engaged_at: Date | null
}

/** The bonus: full within a week of the last activity, half within a month, none after (docs/decisions/0010). */
export const recency = [
  { withinDays: 7, bonus: 10 },
  { withinDays: 30, bonus: 5 },
] as const

const scoreMax = 2_000_000_000 // fits the column
const dayMs = 86_400_000

export function scoreOf(counts: EngagementCounts, weights: Weights, now: Date): number {
  const points =
    counts.total_emails_opened * weights.openWeight +
    counts.total_emails_clicked * weights.clickWeight +
    counts.total_purchases * weights.purchaseWeight +
    recencyBonus(counts.last_engaged_at, now)
  return Math.min(scoreMax, Math.floor(points + 0.5))
}

/** The same formula over a row that has the columns of `EngagementCounts`, in the same floating-point steps. */
export function scoreSql(weights: Weights, now: Date, row: 'c' | 'counts' = 'c'): RawBuilder<number> {
  const column = (name: keyof EngagementCounts) => sql.ref(`${row}.${name}`)
  const [week, month] = recency
  const since = (days: number) => sql`${new Date(now.getTime() - days * dayMs)}::timestamptz`
  return sql<number>`least(${scoreMax}::float8, floor(
    ${column('total_emails_opened')} * ${weights.openWeight}::float8
    + ${column('total_emails_clicked')} * ${weights.clickWeight}::float8
    + ${column('total_purchases')} * ${weights.purchaseWeight}::float8
    + case when ${column('last_engaged_at')} >= ${since(week.withinDays)} then ${week.bonus}::float8
           when ${column('last_engaged_at')} >= ${since(month.withinDays)} then ${month.bonus}::float8
           else 0 end
    + 0.5))::int`
}

function recencyBonus(lastEngagedAt: Date | null, now: Date): number {
  if (!lastEngagedAt) return 0
  const ageMs = now.getTime() - lastEngagedAt.getTime()
  return recency.find(({ withinDays }) => ageMs <= withinDays * dayMs)?.bonus ?? 0
}
