/** Shapes that many doors share, as TypeBox schemas: they validate, serialise, type and document at once. */
import { Type, type Static, type TSchema } from 'typebox'

export const Id = Type.String({ format: 'uuid', description: 'UUIDv7' })
export const Timestamp = Type.Unsafe<Date | string>({
  type: 'string',
  format: 'date-time',
  description: 'RFC 3339, UTC',
})
export const NullableTimestamp = Type.Unsafe<Date | string | null>({ type: ['string', 'null'], format: 'date-time' })
export const NullableText = Type.Unsafe<string | null>({ type: ['string', 'null'] })
export const NullableId = Type.Unsafe<string | null>({ type: ['string', 'null'], format: 'uuid' })
export const NullableInteger = Type.Unsafe<number | null>({ type: ['integer', 'null'] })
export const Text = (maxLength: number, options: { minLength?: number; description?: string } = {}) =>
  Type.String({ maxLength, ...options })
/** Writable and clearable: a text of at most so many characters, or null. */
export const TextOrNull = (maxLength: number, description?: string) =>
  Type.Unsafe<string | null>({ type: ['string', 'null'], maxLength, ...(description ? { description } : {}) })
export const Email = Type.String({ format: 'email', maxLength: 254 })
export const Color = Type.String({ pattern: '^#[0-9a-fA-F]{6}$', description: 'Hex colour, such as #0066cc' })
/** Any JSON object: what people keep in custom fields and metadata. */
export const JsonObject = Type.Unsafe<Record<string, unknown>>({ type: 'object', additionalProperties: true })
export const AnyJson = Type.Unsafe<unknown>({})
export const Message = Type.Object({ message: Type.String() })
export const Nothing = Type.Null()

/** Closed object: a key that it does not name is refused, so that a typing error never passes silently. */
export function Closed<T extends Record<string, TSchema>>(properties: T, options: object = {}) {
  return Type.Object(properties, { additionalProperties: false, ...options })
}

export function OneOf<const T extends readonly string[]>(values: T, options: object = {}) {
  return Type.Unsafe<T[number]>({ type: 'string', enum: [...values], ...options })
}

export const Total = Type.Unsafe<number | { at_least: number }>({
  anyOf: [
    { type: 'integer' },
    { type: 'object', properties: { at_least: { type: 'integer' } }, required: ['at_least'] },
  ],
  description: 'Exact up to 10,000; beyond, {"at_least": 10000} unless count=exact asks for the number',
})

/** A page of a list. */
export function Page<T extends TSchema>(item: T) {
  return Type.Object({ data: Type.Array(item), next_cursor: NullableText, total: Total })
}

/** The parameters that every list has; spread into a door's `query`. */
export const pageQuery = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 50 })),
  cursor: Type.Optional(Type.String({ maxLength: 2_000 })),
  count: Type.Optional(OneOf(['exact'])),
}

export const Problem = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String(),
    code: Type.String({ description: 'Stable; programs decide by it' }),
    request_id: Type.String(),
    errors: Type.Optional(
      Type.Array(Type.Object({ pointer: Type.String(), code: Type.String(), detail: Type.String() })),
    ),
  },
  { $id: 'Problem', description: 'RFC 9457 problem document' },
)

export const JobView = Type.Object(
  {
    id: Id,
    kind: Type.String(),
    status: OneOf(['queued', 'running', 'succeeded', 'failed', 'canceled']),
    progress: Type.Object({
      done: Type.Integer(),
      total: NullableInteger,
      rate: Type.Unsafe<number | null>({ type: ['number', 'null'], description: 'items per second' }),
    }),
    result: Type.Unsafe<unknown>({ description: 'What the job found or made; null until it succeeded' }),
    error: NullableText,
    created_at: Timestamp,
    started_at: NullableTimestamp,
    finished_at: NullableTimestamp,
  },
  { $id: 'Job' },
)
export type JobView = Static<typeof JobView>
