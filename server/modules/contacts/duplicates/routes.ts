/** The doors of duplicates: look at suggestions, decide on them, ask about a person, search through everybody. */
import { sql } from 'kysely'
import { Type } from 'typebox'
import type { Tx } from '#platform/db/db.ts'
import { Invalid } from '#platform/errors.ts'
import { viewJob } from '#platform/http/platform-routes.ts'
import { accepted, route } from '#platform/http/route.ts'
import {
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
import { getJob } from '#platform/jobs/jobs.ts'
import { getWorkspace } from '#modules/accounts/index.ts'
import { phoneKey } from '../contact-fields.ts'
import { getContact } from '../contacts.ts'
import { splitFullName } from '../names.ts'
import { listGroups } from './group-list.ts'
import { lookFor } from './looking.ts'
import { fields, levels } from './model.ts'
import { toPerson } from './person.ts'
import { startScan } from './scan.ts'
import {
  dismissGroup,
  dismissSuggestion,
  explain,
  listSuggestions,
  restoreSuggestion,
  restoreSuggestions,
  shortColumns,
  viewShort,
  type ShortContact,
} from './suggestions.ts'

const ShortContactView = Type.Object({
  id: Id,
  email: Type.String(),
  first_name: Type.String(),
  last_name: Type.String(),
  full_name: Type.String(),
  company: NullableText,
  phone: NullableText,
  avatar_url: NullableText,
  created_at: Timestamp,
})

const Explanation = Type.Array(
  Type.Object({
    field: OneOf(fields),
    a: NullableText,
    b: NullableText,
    level: OneOf(levels),
    weight: Type.Number({ description: 'In bits: each doubles the odds that the two are one person, or halves them' }),
  }),
  { description: 'What speaks for it and against, field by field, the strongest first' },
)

const Probability = Type.Number({ minimum: 0, maximum: 1 })

const SuggestionView = Type.Object(
  {
    id: Id,
    status: OneOf(['open', 'dismissed', 'merged']),
    probability: Probability,
    group_id: NullableId,
    found_by: OneOf(['scan', 'change']),
    found_at: Timestamp,
    dismissed_at: NullableTimestamp,
    dismissed_by_name: Type.String(),
    contacts: Type.Array(ShortContactView, { description: 'Two, in the order of a and b' }),
    explanation: Explanation,
  },
  { $id: 'DuplicateSuggestion' },
)

const GroupView = Type.Object(
  {
    id: Id,
    probability: Probability,
    contacts: Type.Array(ShortContactView, { description: 'Two or more, the oldest first' }),
    pairs: Type.Array(SuggestionView),
  },
  { $id: 'DuplicateGroup' },
)

const params = Closed({ id: Id })
const sort = Type.Optional(Type.String({ maxLength: 50, description: '-probability (the default), -found_at' }))
const min_probability = Type.Optional(Probability)

const listRoute = route({
  method: 'GET',
  path: '/contacts/duplicates',
  may: 'contact.read',
  summary: 'Contacts that may be the same person, two by two, each suggestion explained',
  query: Closed({
    ...pageQuery,
    sort,
    min_probability,
    status: Type.Optional(OneOf(['open', 'dismissed', 'merged'])),
    contact_id: Type.Optional(Id),
    search: Type.Optional(Type.String({ maxLength: 200 })),
  }),
  replies: { 200: Page(SuggestionView) },
  run: ({ tx, query }) => listSuggestions(tx, query),
})

const groupsRoute = route({
  method: 'GET',
  path: '/contacts/duplicates/groups',
  may: 'contact.read',
  summary: 'The same suggestions by person: everybody who may be one',
  query: Closed({ ...pageQuery, sort, min_probability, contact_id: Type.Optional(Id) }),
  replies: { 200: Page(GroupView) },
  run: ({ tx, query }) => listGroups(tx, query),
})

const ofContactRoute = route({
  method: 'GET',
  path: '/contacts/:id/duplicates',
  may: 'contact.read',
  summary: 'Contacts that may be the same person as this one',
  params,
  query: Closed({ ...pageQuery, sort, min_probability }),
  replies: { 200: Page(SuggestionView), 404: Problem },
  run: async ({ tx, params: { id }, query }) => {
    await getContact(tx, id)
    return listSuggestions(tx, { ...query, contact_id: id })
  },
})

const checkRoute = route({
  method: 'POST',
  path: '/contacts/duplicates/check',
  may: 'contact.read',
  summary: 'Who a person that is being typed in may be already',
  description: 'Saves nothing. Custom fields count by their names: birth_date, address, postcode, city and the like.',
  body: Closed({
    email: Type.Optional(Type.String({ maxLength: 254 })),
    first_name: Type.Optional(Type.String({ maxLength: 100 })),
    last_name: Type.Optional(Type.String({ maxLength: 100 })),
    full_name: Type.Optional(Type.String({ maxLength: 201 })),
    phone: Type.Optional(Type.String({ maxLength: 40 })),
    company: Type.Optional(Type.String({ maxLength: 200 })),
    custom_fields: Type.Optional(JsonObject),
    exclude_id: Type.Optional(Id),
  }),
  replies: {
    200: Type.Object({
      data: Type.Array(Type.Object({ contact: ShortContactView, probability: Probability, explanation: Explanation })),
    }),
  },
  run: async ({ tx, body: { exclude_id, ...typed } }) => {
    const person = toPerson(await toIdentifying(tx, typed))
    const candidates = (await lookFor(tx, person)).filter(({ id }) => id !== exclude_id).slice(0, shownMost)
    const contacts = await readShort(
      tx,
      candidates.map(({ id }) => id),
    )
    const data = candidates.flatMap(({ id, probability, reasons }) => {
      const contact = contacts.get(id)
      if (!contact) return []
      return [{ contact: viewShort(contact), probability, explanation: explain(reasons, person, toPerson(contact)) }]
    })
    return { data }
  },
})

const scanRoute = route({
  method: 'POST',
  path: '/contacts/duplicates/scan',
  may: 'contact.scan',
  summary: 'Search through all contacts for duplicates, as a job; it is done every week anyway',
  replies: { 202: JobView, 409: Problem },
  run: async ({ tx, actor }) => {
    const id = await startScan(tx, actor.kind === 'user' ? actor.id : null)
    return accepted(viewJob(await getJob(tx, id)), `/jobs/${id}`)
  },
})

const dismissRoute = route({
  method: 'POST',
  path: '/contacts/duplicates/:id/dismiss',
  may: 'contact.write',
  summary: 'These two are different people: not suggested again, whatever changes',
  params,
  replies: { 200: SuggestionView, 404: Problem, 409: Problem },
  run: ({ tx, actor, params: { id } }) => dismissSuggestion(tx, actor, id),
})

const restoreRoute = route({
  method: 'POST',
  path: '/contacts/duplicates/:id/restore',
  may: 'contact.write',
  summary: 'Take back that these two are different people',
  params,
  replies: { 200: SuggestionView, 404: Problem },
  run: ({ tx, params: { id } }) => restoreSuggestion(tx, id),
})

const dismissGroupRoute = route({
  method: 'POST',
  path: '/contacts/duplicates/groups/:id/dismiss',
  may: 'contact.write',
  summary: 'All in this group are different people',
  params,
  replies: {
    200: Type.Object({ dismissed: Type.Array(Id, { description: 'The suggestions: /restore takes it back' }) }),
    404: Problem,
  },
  run: async ({ tx, actor, params: { id } }) => ({ dismissed: await dismissGroup(tx, actor, id) }),
})

const restoreManyRoute = route({
  method: 'POST',
  path: '/contacts/duplicates/restore',
  may: 'contact.write',
  summary: 'Take several dismissals back',
  body: Closed({ ids: Type.Array(Id, { minItems: 1, maxItems: 1_000 }) }),
  replies: { 200: Type.Object({ restored: Type.Integer() }) },
  run: async ({ tx, body: { ids } }) => ({ restored: await restoreSuggestions(tx, ids) }),
})

export const duplicateRoutes = [
  listRoute,
  groupsRoute,
  ofContactRoute,
  checkRoute,
  scanRoute,
  dismissGroupRoute,
  restoreManyRoute,
  dismissRoute,
  restoreRoute,
]

/** More would not be looked at beside a form. */
const shownMost = 10

interface Typed {
  email?: string
  first_name?: string
  last_name?: string
  full_name?: string
  phone?: string
  company?: string
  custom_fields?: Record<string, unknown>
}

async function toIdentifying(tx: Tx, typed: Typed) {
  const name = typed.full_name ? splitFullName(typed.full_name) : { first_name: '', last_name: '' }
  const person = {
    email: typed.email ?? '',
    first_name: typed.first_name ?? name.first_name,
    last_name: typed.last_name ?? name.last_name,
    phone: typed.phone ?? null,
    phone_key: typed.phone ? phoneKey(typed.phone, (await getWorkspace(tx, tx.workspaceId)).country) : null,
    company: typed.company ?? null,
    custom_fields: typed.custom_fields ?? {},
  }
  if (Object.values(typed).every((value) => !value)) {
    throw Invalid.at('/email', 'required', 'Tell something of the person: an e-mail address, a name, a number.')
  }
  return person
}

async function readShort(tx: Tx, ids: string[]): Promise<Map<string, ShortContact>> {
  const { rows } = await sql<{ contact: ShortContact }>`
    select ${shortColumns('c')} as contact from contacts.contact_rows c
    where c.id = any(${ids}::uuid[]) and c.deleted_at is null`.execute(tx.sql)
  return new Map(rows.map(({ contact }) => [contact.id, contact]))
}
