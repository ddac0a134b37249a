/** Input is checked against the door's own schema: bodies exactly as they are, addresses and queries read from text. */
import { Ajv, type ErrorObject, type Options, type ValidateFunction } from 'ajv'
import formats from 'ajv-formats'

export interface Validator {
  (data: unknown): boolean
  errors?: ErrorObject[] | null
}
export type Compile = (schema: unknown, part: string | undefined) => Validator

/** Only small bodies are asked for all their faults: a form shows them together, and a million items cost nothing. */
const explainedLengthMax = 64 * 1024

export function createValidators(): Compile {
  const common: Options = { strict: false, useDefaults: true, removeAdditional: false }
  const exact = withFormats(new Ajv({ ...common, coerceTypes: false }))
  const exactAll = withFormats(new Ajv({ ...common, coerceTypes: false, allErrors: true }))
  const fromText = withFormats(new Ajv({ ...common, coerceTypes: true }))
  return (schema, part) => {
    const shape = closed(schema as object, part)
    return part === 'body' ? explained(exact.compile(shape), exactAll, shape) : fromText.compile(shape)
  }
}

/** Stops at the first fault; where the body is small, looks again for the others. */
function explained(first: ValidateFunction, all: Ajv, shape: object): Validator {
  let second: ValidateFunction | undefined
  const validate: Validator = (data) => {
    if (first(data)) return true
    validate.errors = first.errors
    if (JSON.stringify(data ?? null).length > explainedLengthMax) return false
    second ??= all.compile(shape)
    second(data)
    validate.errors = second.errors?.length ? second.errors : first.errors
    return false
  }
  return validate
}

/** A query parameter that a list does not have is refused like an unknown field of a body. */
function closed(schema: object, part: string | undefined): object {
  return part === 'querystring' ? { additionalProperties: false, ...schema } : schema
}

function withFormats(ajv: Ajv): Ajv {
  formats.default(ajv, { mode: 'full' })
  // Stricter than RFC 5321 where mail systems differ, and linear in time: no quoted local parts, no comments, a dotted domain.
  ajv.addFormat('email', { type: 'string', validate: isEmail })
  return ajv
}

const emailPattern =
  /^[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])$/i

/** Internationalised addresses (RFC 6531) are accepted too: letters beyond ASCII on either side. */
const internationalPattern = /^[\p{L}\p{N}!#$%&'*+/=?^_`{|}~.-]+@(?:[\p{L}\p{N}-]+\.)+[\p{L}\p{N}-]{2,}$/u

export function isEmail(text: string): boolean {
  if (text.length > 254 || text.indexOf('@') > 64) return false
  if (emailPattern.test(text)) return true
  return /[^\x00-\x7f]/.test(text) && !text.includes('..') && !text.startsWith('.') && internationalPattern.test(text)
}
