/** The door of the figures of tickets. */
import { Type } from 'typebox'
import { route } from '#platform/http/route.ts'
import { Closed, Id, NullableTimestamp } from '#platform/http/shapes.ts'
import { priorities, ticketStatuses } from '../tables.ts'
import { periodOf, ticketStatistics } from './statistics.ts'

const Day = Type.String({ format: 'date' })
const NullableNumber = Type.Unsafe<number | null>({ type: ['number', 'null'] })
const Count = Type.Integer()
const Times = Type.Object(
  { count: Count, mean: NullableNumber, median: NullableNumber, p90: NullableNumber },
  { description: 'Seconds; null where nothing was counted' },
)
const BothTimes = Type.Object({
  calendar: Times,
  business: Type.Object(Times.properties, { description: 'The same in hours of the business calendar, in seconds' }),
})
const countsOf = (names: readonly string[]) => Type.Object(Object.fromEntries(names.map((name) => [name, Count])))

const StatisticsView = Type.Object(
  {
    from: Day,
    to: Day,
    timezone: Type.String(),
    computed_at: NullableTimestamp,
    now: Type.Object({
      by_status: countsOf(ticketStatuses),
      by_priority: countsOf(priorities),
      unassigned: Count,
      overdue: Count,
    }),
    opened: Count,
    escalated: Count,
    late: Count,
    escalation_rate: NullableNumber,
    late_rate: NullableNumber,
    first_response: BothTimes,
    resolution: BothTimes,
    satisfaction: Type.Object({ count: Count, mean: NullableNumber, ratings: countsOf(['1', '2', '3', '4', '5']) }),
    agents: Type.Array(
      Type.Object({
        user_id: Id,
        name: Type.String(),
        presence: Type.String(),
        capacity: Count,
        load: Type.Number(),
        open_tickets: Count,
        ended: Count,
        satisfaction_mean: NullableNumber,
      }),
    ),
    days: Type.Array(Type.Object({ day: Day, opened: Count, ended: Count, escalated: Count })),
  },
  { $id: 'TicketStatistics' },
)

const statisticsRoute = route({
  method: 'GET',
  path: '/tickets/statistics',
  may: 'ticket.work',
  summary: 'Figures of the tickets that one may see: how many, how fast, how satisfied',
  description:
    '`now` is counted when asked; all else is of the period and as of the last hourly count (`computed_at`). Days are ' +
    'those of the workspace’s time zone; without `from` and `to` it is the thirty days until today. `by_priority`, ' +
    '`unassigned` and `overdue` are of tickets that have not ended. Rates are shares of the tickets opened in the period.',
  query: Closed({ from: Type.Optional(Day), to: Type.Optional(Day) }),
  replies: { 200: StatisticsView },
  run: async ({ tx, actor, query, services }) => ticketStatistics(tx, actor, await periodOf(tx, query), services),
})

export const statisticsRoutes = [statisticsRoute]
