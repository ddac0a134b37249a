/** The values of a condition: of the field's type, as many as its operator takes, in the form in which they are compared. */
import type { InputError } from '#platform/errors.ts'
import { isId } from '#platform/ids.ts'
import { isDay } from './days.ts'
import type { Field, UntypedField } from './field.ts'
import { arities, type Op } from './ops.ts'
import { limits } from './rule.ts'

/** Numbers as decimal text, times as a day or an instant. */
export type Value = string | number | boolean

type Typed = Exclude<Field, UntypedField>
type Read = { field: Typed; values: Value[] } | { errors: InputError[] }
/** A value that fits, or the sentence that says what would. */
type Judged = { value: Value } | { misfit: string }

export function readValues(field: Field, op: Op, value: unknown, pointer: string): Read {
  const arity = arities[op]
  if (arity === 'none') {
    return value === undefined
      ? { field: settle(field, op, []), values: [] }
      : refuse(pointer, 'unknown_field', 'This operator takes no value. Leave it out.')
  }
  if (value === undefined || value === null) return refuse(pointer, 'required', 'Say what to compare with.')
  if (arity === 'days') {
    const fits = Number.isInteger(value) && (value as number) >= 1 && (value as number) <= limits.days
    return fits
      ? { field: settle(field, op, []), values: [value as number] }
      : refuse(pointer, 'type', `This must be a number of days from 1 to ${limits.days}.`)
  }
  const list = arity === 'many' && !Array.isArray(value) ? [value] : arity === 'one' ? [value] : value
  if (!Array.isArray(list)) return refuse(pointer, 'type', 'This must be a list of two values: from and to.')
  if (arity === 'pair' && list.length !== 2) return refuse(pointer, 'type', 'Name two values: from and to.')
  if (!list.length) return refuse(pointer, 'too_few', 'Name at least one value.')
  if (list.length > limits.values) return refuse(pointer, 'too_many', `At most ${limits.values} values.`)
  return judgeAll(settle(field, op, list), list as unknown[], Array.isArray(value) ? pointer : null, pointer)
}

export function readId(value: unknown): string | undefined {
  return typeof value === 'string' && isId(value) ? value.toLowerCase() : undefined
}

function judgeAll(field: Typed, list: unknown[], listPointer: string | null, pointer: string): Read {
  const errors: InputError[] = []
  const values = list.flatMap((one, index) => {
    const judged = judge(field, one)
    if ('value' in judged) return [judged.value]
    errors.push({ pointer: listPointer ? `${listPointer}/${index}` : pointer, code: 'value', detail: judged.misfit })
    return []
  })
  return errors.length ? { errors } : { field, values }
}

/** What no definition gives a type is compared as what the value is. */
function settle(field: Field, op: Op, list: unknown[]): Typed {
  if (field.type !== 'untyped') return field
  const isOrder = ['gt', 'gte', 'lt', 'lte', 'between'].includes(op)
  const isTime = ['before', 'after', 'on'].includes(op) || arities[op] === 'days'
  if (op.startsWith('has')) return field.choices
  if (isTime || (isOrder && list.every((one) => typeof one === 'string'))) return field.date
  if (isOrder || list.some((one) => typeof one === 'number')) return field.number
  return list.some((one) => typeof one === 'boolean') && ['eq', 'neq'].includes(op) ? field.boolean : field.text
}

function judge(field: Typed, value: unknown): Judged {
  switch (field.type) {
    case 'text':
    case 'code':
    case 'tags':
      return judgeText(field, value)
    case 'choice':
    case 'choices':
      // A choice that a workspace took away is a problem to show, and no fault of a rule that names it.
      if (field.group === 'custom') return judgeText(field, value)
      return typeof value === 'string' && field.choices.includes(value)
        ? { value }
        : { misfit: `Use one of ${field.choices.join(', ')}.` }
    case 'number':
      return judgeNumber(value, field.cast)
    case 'boolean':
      return typeof value === 'boolean' ? { value } : { misfit: 'This must be true or false.' }
    case 'datetime':
      return judgeTime(value)
    case 'date':
      return typeof value === 'string' && isDay(value) ? { value } : { misfit: 'Use a day such as 2026-01-31.' }
    case 'id':
    case 'lists': {
      const id = readId(value)
      return id ? { value: id } : { misfit: 'This is not an id.' }
    }
    case 'presence':
      return { misfit: 'This field takes no value.' }
    default:
      return field satisfies never
  }
}

function judgeText(field: Typed, value: unknown): Judged {
  if (typeof value !== 'string') return { misfit: 'This must be a text.' }
  const text = value.normalize('NFC').trim()
  if (!text) return { misfit: 'The text is empty. For what is empty there is is_empty.' }
  if (text.length > limits.textLength) return { misfit: `At most ${limits.textLength} characters.` }
  if (!text.isWellFormed() || text.includes('\0')) return { misfit: 'The text has a character that cannot be stored.' }
  if (field.type === 'code') return { value: field.canonical(text) }
  if (field.name === 'phone' && !/[^\s()./-]/.test(text)) return { misfit: 'This has no digits.' }
  return { value: text }
}

function judgeNumber(value: unknown, cast: 'int' | 'numeric'): Judged {
  if (cast === 'int') {
    const fits = Number.isInteger(value) && Math.abs(value as number) <= 2_147_483_647
    return fits ? { value: String(value) } : { misfit: 'This must be a whole number.' }
  }
  if (typeof value === 'number' && Number.isFinite(value) && Math.abs(value) < 1e15) return { value: String(value) }
  if (typeof value === 'string' && /^-?\d{1,15}(\.\d{1,10})?$/.test(value)) return { value }
  return { misfit: 'This must be a number, such as 12 or 12.50.' }
}

function judgeTime(value: unknown): Judged {
  const misfit = { misfit: 'Use a day such as 2026-01-31, or a time such as 2026-01-31T12:00:00Z.' }
  if (typeof value !== 'string') return misfit
  if (isDay(value)) return { value }
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/.test(value)) return misfit
  const time = new Date(value)
  if (!isDay(value.slice(0, 10)) || Number.isNaN(time.getTime())) return misfit
  return { value: time.toISOString() }
}

function refuse(pointer: string, code: string, detail: string): { errors: InputError[] } {
  return { errors: [{ pointer, code, detail }] }
}
