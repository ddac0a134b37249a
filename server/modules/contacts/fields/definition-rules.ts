/** What a definition of a field must be like; pure. */
import { Invalid, type InputError } from '#platform/errors.ts'
import { isIsoDate } from './values.ts'
import type { Choice, FieldType } from './tables.ts'

/** What an admin writes of a field. */
export interface FieldInput {
  label?: string
  type?: FieldType
  description?: string
  choices?: { value?: string; label: string; color?: string | null }[]
  required?: boolean
  filterable?: boolean
  min?: number | string | null
  max?: number | string | null
  max_length?: number | null
}

export interface Definition {
  label: string
  type: FieldType
  description: string
  choices: Choice[]
  required: boolean
  filterable: boolean
  minimum: string | null
  maximum: string | null
  max_length: number | null
}

export const hasChoices = (type: FieldType): boolean => type === 'choice' || type === 'multi_choice'

/** The definition that the input makes of another one. Everything that is wrong is told at once; throws `Invalid`. */
export function toDefinition(before: Definition, input: FieldInput): Definition {
  const errors: InputError[] = []
  const type = input.type ?? before.type
  const definition: Definition = {
    label: input.label?.trim() ?? before.label,
    type,
    description: input.description ?? before.description,
    choices: hasChoices(type) ? toChoices(input.choices, before.choices, errors) : [],
    required: input.required ?? before.required,
    filterable: input.filterable ?? before.filterable,
    ...limitsOf(type, before, input, errors),
  }
  if (!hasChoices(type) && input.choices?.length) {
    errors.push({ pointer: '/choices', code: 'not_for_type', detail: 'Only choice and multi_choice have choices.' })
  }
  if (!definition.label) errors.push({ pointer: '/label', code: 'required', detail: 'A field needs a label.' })
  if (errors.length) throw new Invalid('invalid', errors.map(({ detail }) => detail).join(' '), { errors })
  return definition
}

/** "Date of birth" → date_of_birth; in scripts without plain letters nothing is left, and a number is given. */
export function toKey(label: string): string {
  const plain = label
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '_')
    .replaceAll(/^_+|_+$/g, '')
  const key = /^[a-z]/.test(plain) ? plain : plain ? `field_${plain}` : 'field'
  return key.slice(0, 60).replace(/_+$/, '')
}

/** A value that is absent is the label itself. */
function toChoices(given: FieldInput['choices'], before: Choice[], errors: InputError[]): Choice[] {
  const choices = given?.map(({ value, label, color }) => ({
    value: (value ?? label).trim(),
    label: label.trim(),
    color: color ?? null,
  }))
  if (!choices && before.length) return before
  if (!choices?.length) {
    errors.push({ pointer: '/choices', code: 'required', detail: 'Name at least one choice.' })
    return []
  }
  const seen = new Set<string>()
  for (const [index, { value, label }] of choices.entries()) {
    const folded = value.toLowerCase()
    if (!value || !label) {
      errors.push({ pointer: `/choices/${index}`, code: 'required', detail: 'A choice needs a value and a label.' })
    } else if (seen.has(folded)) {
      errors.push({ pointer: `/choices/${index}`, code: 'duplicate', detail: `There are two choices “${value}”.` })
    } else if (/[,;|]/.test(value)) {
      const detail = 'A choice’s value has no comma, semicolon or bar: files write lists with them.'
      errors.push({ pointer: `/choices/${index}/value`, code: 'format', detail })
    }
    seen.add(folded)
  }
  return choices
}

type Limits = Pick<Definition, 'minimum' | 'maximum' | 'max_length'>

/** Limits of another type do not outlive a change of the type. */
function limitsOf(type: FieldType, before: Definition, input: FieldInput, errors: InputError[]): Limits {
  const kept = type === before.type
  const limits: Limits = {
    minimum: readLimit(type, 'min', input.min, kept ? before.minimum : null, errors),
    maximum: readLimit(type, 'max', input.max, kept ? before.maximum : null, errors),
    max_length: input.max_length === undefined ? (kept ? before.max_length : null) : input.max_length,
  }
  if (limits.max_length !== null && type !== 'text') {
    errors.push({ pointer: '/max_length', code: 'not_for_type', detail: 'Only a text has a greatest length.' })
  }
  const { minimum, maximum } = limits
  const isReversed =
    minimum !== null && maximum !== null && (type === 'number' ? Number(minimum) > Number(maximum) : minimum > maximum)
  if (isReversed) errors.push({ pointer: '/max', code: 'too_small', detail: 'The end lies before the beginning.' })
  return limits
}

function readLimit(
  type: FieldType,
  name: 'min' | 'max',
  given: number | string | null | undefined,
  before: string | null,
  errors: InputError[],
): string | null {
  if (given === undefined) return before
  if (given === null) return null
  const fits =
    (type === 'number' && typeof given === 'number' && Number.isFinite(given)) ||
    (type === 'date' && typeof given === 'string' && isIsoDate(given))
  if (fits) return String(given)
  const takes = type === 'number' ? 'a number' : type === 'date' ? 'a date such as 2026-03-31' : 'none'
  errors.push({ pointer: `/${name}`, code: 'misfit', detail: `A ${type} has as its ${name}: ${takes}.` })
  return null
}
