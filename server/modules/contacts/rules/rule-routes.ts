/** The doors of rules as such: what they may name, whom they find, and why. */
import { Type } from 'typebox'
import { route } from '#platform/http/route.ts'
import { Closed, Id, OneOf, Problem, Total } from '#platform/http/shapes.ts'
import { listContacts } from '../contact-query.ts'
import { ContactView } from '../contact-view.ts'
import { checkFilter, toFilter, ViewedFilterOrRule } from '../given-filter.ts'
import { customFieldDefinitions } from '../fields/fields.ts'
import { openFilter } from '../views/open.ts'
import { FilterFields, filterFieldsView } from './catalogue.ts'
import { explainRule } from './explain.ts'
import { resolveRule } from './resolve.ts'
import { isRule, ruleGuide, RuleShape } from './rule.ts'

export const RuleProblems = Type.Array(
  Type.Object({ pointer: Type.String(), code: Type.String(), detail: Type.String() }),
  { description: 'Conditions that name what is not there (any more), and therefore match nobody' },
)

export const ExplainedRule = Type.Unsafe<Record<string, unknown>>({
  type: 'object',
  additionalProperties: true,
  description: 'The rule, with `matches` at each node, and at each condition `actual`: what the contact has',
})

const filterFieldsRoute = route({
  method: 'GET',
  path: '/contacts/filter-fields',
  may: 'contact.read',
  summary: 'What a rule may ask: fields, their operators and choices, events',
  replies: { 200: FilterFields },
  run: async ({ tx }) => filterFieldsView(await customFieldDefinitions(tx)),
})

const countRoute = route({
  method: 'POST',
  path: '/contacts/filter/count',
  may: 'contact.read',
  summary: 'How many contacts a filter finds, and a few of them',
  description: `Counted now: exact up to 10,000, beyond that with \`count=exact\`. ${ruleGuide}`,
  query: Closed({ count: Type.Optional(OneOf(['exact'])) }),
  body: Closed({
    filter: ViewedFilterOrRule,
    sample: Type.Optional(Type.Integer({ minimum: 0, maximum: 20, default: 5 })),
  }),
  replies: { 200: Type.Object({ count: Total, sample: Type.Array(ContactView), problems: RuleProblems }) },
  run: async ({ tx, actor, query, body }) => {
    await checkFilter(tx, body.filter, '/filter')
    const wanted = body.sample ?? 5
    const filter = toFilter(await openFilter(tx, actor, body.filter, '/filter/view'))
    const found = await listContacts(tx, { ...filter, ...query, limit: Math.max(1, wanted) })
    const problems = isRule(body.filter) ? (await resolveRule(tx, body.filter)).problems : []
    return { count: found.total, sample: found.data.slice(0, wanted), problems }
  },
})

const whyRoute = route({
  method: 'POST',
  path: '/contacts/filter/why',
  may: 'contact.read',
  summary: 'Why a rule finds a contact, or does not',
  body: Closed({ filter: RuleShape, contact_id: Id }),
  replies: { 200: ExplainedRule, 404: Problem },
  run: async ({ tx, body }) => explainRule(tx, body.filter, await resolveRule(tx, body.filter), body.contact_id),
})

export const ruleRoutes = [filterFieldsRoute, countRoute, whyRoute]
