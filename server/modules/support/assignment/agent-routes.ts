/** The doors of those who work on tickets. */
import { Type } from 'typebox'
import { record, route } from '#platform/http/route.ts'
import { Closed, Id, NullableTimestamp, OneOf, Page, pageQuery, Problem } from '#platform/http/shapes.ts'
import { personOf } from '../access.ts'
import { changeAgent, getAgent, listAgents, sayPresence, type Agent } from './agents.ts'
import { assignWaiting } from './assigning.ts'
import { changeSettings, getSettings, type AssignmentSettings } from './settings.ts'

const params = Closed({ id: Id })

const AgentView = Type.Object(
  {
    user_id: Id,
    name: Type.String(),
    role: Type.String(),
    presence: OneOf(['online', 'away', 'offline'], { description: 'Offline: not heard of for two minutes' }),
    seen_at: NullableTimestamp,
    capacity: Type.Integer({ description: 'Weight of tickets that they can have in hand' }),
    categories: Type.Array(Type.String(), { description: 'Those that come to them by themselves; none means all' }),
    load: Type.Number({ description: 'Weight in hand: urgent 4, high 2, normal 1, low 0.5' }),
    open_tickets: Type.Integer(),
    assigned_at: NullableTimestamp,
  },
  { $id: 'Agent' },
)

const listRoute = route({
  method: 'GET',
  path: '/tickets/agents',
  may: 'ticket.work',
  summary: 'Who works at the help desk, what they have in hand, and whether they are there',
  description: 'By name, page by page.',
  query: Closed({
    ...pageQuery,
    search: Type.Optional(Type.String({ minLength: 1, maxLength: 100, description: 'In the name' })),
    presence: Type.Optional(OneOf(['online', 'away', 'offline'])),
  }),
  replies: { 200: Page(AgentView) },
  run: ({ tx, query }) => listAgents(tx, query, viewAgent),
})

const showRoute = route({
  method: 'GET',
  path: '/tickets/agents/:id',
  may: 'ticket.work',
  summary: 'One agent, by the id of the member',
  params,
  replies: { 200: AgentView, 404: Problem },
  run: async ({ tx, params: { id } }) => {
    const agent = await getAgent(tx, id)
    return record(viewAgent(agent), agent.version)
  },
})

const [replaceRoute, changeRoute] = (['PUT', 'PATCH'] as const).map((method) =>
  route({
    method,
    path: '/tickets/agents/:id',
    may: 'ticket.configure',
    summary: 'Say what an agent can take; what is named is replaced. Waiting tickets are given out at once',
    params,
    body: Closed({
      capacity: Type.Optional(
        Type.Integer({ minimum: 4, maximum: 1_000, description: 'Weight; one urgent ticket weighs 4' }),
      ),
      categories: Type.Optional(
        Type.Array(Type.String({ minLength: 1, maxLength: 100, pattern: '\\S' }), { maxItems: 100 }),
      ),
    }),
    replies: { 200: AgentView, 404: Problem, 412: Problem },
    run: async ({ tx, params: { id }, body, ifVersion, services }) => {
      await changeAgent(tx, services, id, body, ifVersion)
      await assignWaiting(tx, services)
      const agent = await getAgent(tx, id)
      return record(viewAgent(agent), agent.version)
    },
  }),
)

const presenceRoute = route({
  method: 'PUT',
  path: '/tickets/presence',
  may: 'ticket.work',
  summary: 'Say that one is there, or away',
  description:
    'Only who is online gets tickets by themselves. Say it again each minute: after two minutes of silence one is offline.',
  body: Closed({ presence: OneOf(['online', 'away']) }),
  replies: { 200: AgentView },
  run: async ({ tx, actor, body, services }) => {
    const { came } = await sayPresence(tx, actor, services, body.presence)
    if (came) await assignWaiting(tx, services)
    const agent = await getAgent(tx, personOf(actor)!)
    return record(viewAgent(agent), agent.version)
  },
})

const SettingsView = Type.Object({
  auto_assign: Type.Boolean({ description: 'Whether tickets go to agents by themselves' }),
  chosen: Type.Unsafe<boolean | null>({
    type: ['boolean', 'null'],
    description: 'What was chosen here; null follows the installation (AUTO_ASSIGN)',
  }),
})

const showSettingsRoute = route({
  method: 'GET',
  path: '/tickets/settings',
  may: 'ticket.work',
  summary: 'How tickets are given out',
  replies: { 200: SettingsView },
  run: async ({ tx, services }) => {
    const settings = await getSettings(tx, services)
    return record(viewSettings(settings), settings.version)
  },
})

const changeSettingsRoute = route({
  method: 'PUT',
  path: '/tickets/settings',
  may: 'ticket.configure',
  summary: 'Say whether tickets go to agents by themselves; what waits is given out at once',
  body: Closed({
    auto_assign: Type.Optional(
      Type.Unsafe<boolean | null>({ type: ['boolean', 'null'], description: 'Null follows the installation' }),
    ),
  }),
  replies: { 200: SettingsView, 412: Problem },
  run: async ({ tx, body, ifVersion, services }) => {
    const settings = await changeSettings(tx, services, body, ifVersion)
    if (settings.auto_assign) await assignWaiting(tx, services)
    return record(viewSettings(settings), settings.version)
  },
})

export const agentRoutes = [
  listRoute,
  showRoute,
  replaceRoute!,
  changeRoute!,
  presenceRoute,
  showSettingsRoute,
  changeSettingsRoute,
]

function viewAgent({ version: _version, ...shown }: Agent) {
  return shown
}

function viewSettings({ version: _version, ...shown }: AssignmentSettings) {
  return shown
}
