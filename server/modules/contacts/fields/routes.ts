/** The doors of custom fields. */
import { Type } from 'typebox'
import { created, record, route } from '#platform/http/route.ts'
import {
  Closed,
  Color,
  Id,
  Message,
  NullableId,
  NullableText,
  NullableTimestamp,
  OneOf,
  Page,
  pageQuery,
  Problem,
  Timestamp,
} from '#platform/http/shapes.ts'
import { toDefinition } from './definition-rules.ts'
import { createField, deleteField, getField, listFields, orderFields, restoreField, updateField } from './fields.ts'
import { checkStored } from './stored-values.ts'
import { fieldTypes, type CustomField } from './tables.ts'

const params = Closed({ id: Id })

const Limit = Type.Unsafe<number | string | null>({
  anyOf: [{ type: 'number' }, { type: 'string', format: 'date' }, { type: 'null' }],
  description: 'Of a number, or of a date as YYYY-MM-DD',
})
const NullableNumber = Type.Unsafe<number | null>({ type: ['integer', 'null'] })

const FieldView = Type.Object(
  {
    id: Id,
    key: Type.String({ description: 'Its name in custom_fields; never changes' }),
    label: Type.String(),
    type: OneOf(fieldTypes),
    description: Type.String(),
    choices: Type.Array(Type.Object({ value: Type.String(), label: Type.String(), color: NullableText })),
    required: Type.Boolean(),
    filterable: Type.Boolean(),
    filter_status: OneOf(['off', 'building', 'ready'], {
      description: 'Filters answer the same while it is building, slower',
    }),
    position: Type.Integer(),
    min: Limit,
    max: Limit,
    max_length: NullableNumber,
    job_id: NullableId,
    created_at: Timestamp,
    updated_at: Timestamp,
    deleted_at: NullableTimestamp,
  },
  { $id: 'CustomField' },
)

const label = Type.String({ minLength: 1, maxLength: 100, pattern: '\\S' })
const writable = {
  description: Type.Optional(Type.String({ maxLength: 500 })),
  choices: Type.Optional(
    Type.Array(
      Closed({
        value: Type.Optional(Type.String({ minLength: 1, maxLength: 100, description: 'The label, unless named' })),
        label: Type.String({ minLength: 1, maxLength: 100 }),
        color: Type.Optional(
          Type.Unsafe<string | null>({ anyOf: [Color, { type: 'null' }], description: 'Hex colour, such as #0066cc' }),
        ),
      }),
      { maxItems: 500, description: 'Of choice and multi_choice, which need at least one' },
    ),
  ),
  required: Type.Optional(Type.Boolean({ description: 'Of people who make a contact by hand; not of programs' })),
  filterable: Type.Optional(Type.Boolean({ description: 'Kept in an index; existing values are added by a job' })),
  min: Type.Optional(Limit),
  max: Type.Optional(Limit),
  max_length: Type.Optional(
    Type.Unsafe<number | null>({ type: ['integer', 'null'], minimum: 1, maximum: 5_000, description: 'Of a text' }),
  ),
}
const NewFieldBody = Closed({
  key: Type.Optional(
    Type.String({ pattern: '^[a-z][a-z0-9_]{0,62}$', description: 'snake_case; from the label unless named' }),
  ),
  label,
  type: OneOf(fieldTypes),
  ...writable,
})
const changeable = {
  label: Type.Optional(label),
  type: Type.Optional(OneOf(fieldTypes)),
  ...writable,
  replace_with: Type.Optional(
    Type.Unsafe<Record<string, string | null>>({
      type: 'object',
      additionalProperties: { type: ['string', 'null'], maxLength: 100 },
      description: 'For choices that go: the value that contacts get instead, or null for none',
    }),
  ),
}
const FieldChangeBody = Closed(changeable)

const listRoute = route({
  method: 'GET',
  path: '/contacts/fields',
  may: 'contact.read',
  summary: 'The fields that this workspace adds to its contacts',
  description:
    'Their values are in `custom_fields` of a contact, by key. A key without a field is allowed there as well: it holds any JSON.',
  query: Closed({
    ...pageQuery,
    search: Type.Optional(Type.String({ maxLength: 200 })),
    type: Type.Optional(OneOf(fieldTypes)),
    deleted: Type.Optional(Type.Boolean()),
    sort: Type.Optional(Type.String({ maxLength: 50, description: 'position, label, key, created_at' })),
  }),
  replies: { 200: Page(FieldView) },
  run: ({ tx, query }) => listFields(tx, query, viewField),
})

const createRoute = route({
  method: 'POST',
  path: '/contacts/fields',
  may: 'field.manage',
  summary: 'Make a field; at most 200',
  body: NewFieldBody,
  replies: { 201: FieldView, 409: Problem },
  run: async ({ tx, actor, body }) => {
    const field = await createField(tx, actor, body)
    return created(viewField(field), `/contacts/fields/${field.id}`, field.version)
  },
})

const showRoute = route({
  method: 'GET',
  path: '/contacts/fields/:id',
  may: 'contact.read',
  summary: 'One field',
  params,
  replies: { 200: FieldView, 404: Problem },
  run: async ({ tx, params: { id } }) => {
    const field = await getField(tx, id)
    return record(viewField(field), field.version)
  },
})

const [replaceRoute, changeRoute] = (['PUT', 'PATCH'] as const).map((method) =>
  route({
    method,
    path: '/contacts/fields/:id',
    may: 'field.manage',
    summary: 'Change a field: what is named is replaced, all else stays; the key never changes',
    description:
      'A type changes only when every stored value can be converted (409 `values_do_not_fit`), and a choice that contacts ' +
      'have goes only with `replace_with` (409 `choice_in_use`). Stored values are rewritten by a job: see `job_id`.',
    params,
    body: FieldChangeBody,
    replies: { 200: FieldView, 404: Problem, 409: Problem, 412: Problem },
    run: async ({ tx, actor, params: { id }, body, ifVersion }) => {
      const field = await updateField(tx, actor, id, body, ifVersion)
      return record(viewField(field), field.version)
    },
  }),
)

const checkRoute = route({
  method: 'POST',
  path: '/contacts/fields/:id/check',
  may: 'field.manage',
  summary: 'What a change would mean for the stored values; changes nothing',
  params,
  body: FieldChangeBody,
  replies: {
    200: Type.Object({
      values: Type.Integer({ description: 'Contacts with a value; counted for a change of the type' }),
      misfits: Type.Integer({ description: 'Values that the new type could not hold' }),
      removed_choices: Type.Array(Type.Object({ value: Type.String(), count: Type.Integer() })),
    }),
    404: Problem,
  },
  run: async ({ tx, params: { id }, body }) => {
    const field = await getField(tx, id)
    return checkStored(tx, field, toDefinition(field, body), body.replace_with ?? {})
  },
})

const deleteRoute = route({
  method: 'DELETE',
  path: '/contacts/fields/:id',
  may: 'field.manage',
  summary: 'Delete a field; its values stay, and it can be restored',
  params,
  replies: { 200: Message, 404: Problem, 412: Problem },
  run: async ({ tx, actor, params: { id }, ifVersion }) => {
    await deleteField(tx, actor, id, ifVersion)
    return { message: 'The field was deleted. Its values stay, and it can be restored.' }
  },
})

const restoreRoute = route({
  method: 'POST',
  path: '/contacts/fields/:id/restore',
  may: 'field.manage',
  summary: 'Bring a deleted field back',
  params,
  replies: { 200: FieldView, 404: Problem, 409: Problem },
  run: async ({ tx, actor, params: { id } }) => {
    const field = await restoreField(tx, actor, id)
    return record(viewField(field), field.version)
  },
})

const orderRoute = route({
  method: 'PUT',
  path: '/contacts/fields/order',
  may: 'field.manage',
  summary: 'Put fields into this order; those that are not named follow',
  body: Closed({ ids: Type.Array(Id, { maxItems: 200 }) }),
  replies: { 200: Message },
  run: async ({ tx, actor, body }) => {
    await orderFields(tx, actor, body.ids)
    return { message: 'The fields are in this order.' }
  },
})

export const fieldRoutes = [
  listRoute,
  createRoute,
  orderRoute,
  showRoute,
  replaceRoute!,
  changeRoute!,
  checkRoute,
  deleteRoute,
  restoreRoute,
]

function viewField(field: CustomField) {
  const {
    id,
    key,
    label: title,
    type,
    description,
    choices,
    required,
    filterable,
    position,
    max_length,
    job_id,
  } = field
  const limit = (text: string | null) => (text !== null && type === 'number' ? Number(text) : text)
  return {
    id,
    key,
    label: title,
    type,
    description,
    choices,
    required,
    filterable,
    filter_status: !filterable ? ('off' as const) : field.indexed_at ? ('ready' as const) : ('building' as const),
    position,
    min: limit(field.minimum),
    max: limit(field.maximum),
    max_length,
    job_id,
    created_at: field.created_at,
    updated_at: field.updated_at,
    deleted_at: field.deleted_at,
  }
}
