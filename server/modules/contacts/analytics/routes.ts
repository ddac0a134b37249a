/** The doors of figures. */
import { Type } from 'typebox'
import { route } from '#platform/http/route.ts'
import { Closed, Id, OneOf, Problem } from '#platform/http/shapes.ts'
import { filterFields } from '../contact-query.ts'
import { Analytics, analyseKept, metrics } from './analytics.ts'
import { intervals } from './days.ts'
import { GroupStats, groupStats } from './groups.ts'

const params = Closed({ id: Id })
const day = Type.Optional(Type.String({ format: 'date' }))
const period = {
  from: day,
  to: day,
  interval: Type.Optional(OneOf(intervals, { description: 'Weeks begin on Monday; follows the length unless named' })),
}

const [listStatsRoute, tagStatsRoute] = (['list', 'tag'] as const).map((kind) =>
  route({
    method: 'GET',
    path: `/${kind}s/:id/stats`,
    may: 'contact.read',
    summary: `How a ${kind} stands and grows: engagement of its contacts, who came and went`,
    description:
      'Growth is of the last 30 days unless `from` and `to` name others, as days of the workspace. Engagement is counted at ' +
      '`computed_at`: at once for up to 50,000 contacts, else by an hourly task.',
    params,
    query: Closed(period),
    replies: { 200: GroupStats, 404: Problem },
    run: ({ tx, params: { id }, query }) => groupStats(tx, kind, id, query),
  }),
)

const analyticsRoute = route({
  method: 'GET',
  path: '/contacts/analytics',
  may: 'contact.read',
  summary: 'Charts about contacts, each compared with the period before',
  description:
    'Series are over time, items are ranked; a metric has one or both. Days are those of the workspace. Filters are those of ' +
    '/contacts, and lists and tags as metrics take none. Answers that take long to count are up to a minute old.',
  query: Closed({
    metric: OneOf(metrics as [(typeof metrics)[number], ...(typeof metrics)[number][]]),
    ...period,
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: 10, description: 'Of items, and series' })),
    ...filterFields,
  }),
  replies: { 200: Analytics },
  run: ({ tx, services, query }) => analyseKept(tx, services, query),
})

export const analyticsRoutes = [analyticsRoute, listStatsRoute!, tagStatsRoute!]
