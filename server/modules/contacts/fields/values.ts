/**
 * What a custom field may hold. Pure: `checkCustomFields` judges JSON from the API, `parseCustomValue` reads the text of a
 * file's cell or a form; both give the value as it is stored, so that a field never holds two forms of one thing.
 */
import type { InputError } from '#platform/errors.ts'
import type { CustomField } from './tables.ts'

/** What the rules need to know of a field; a row of `contacts.custom_fields` is one. */
export type CustomFieldDefinition = Pick<
  CustomField,
  'id' | 'key' | 'label' | 'type' | 'choices' | 'required' | 'minimum' | 'maximum' | 'max_length'
>

export interface CustomChange {
  /** Keys with their new values. */
  set: Record<string, unknown>
  /** Keys whose value goes. */
  removed: string[]
}

export interface ValueFault {
  code: string
  detail: string
}

/** A value that fits, or why it does not. */
export type Judged = { value: unknown } | { fault: ValueFault }

export const textLengthMax = 5_000
export const urlLengthMax = 2_000

/**
 * Checks the values that a request names, and adds what is wrong to `errors`. Null and the empty text take a value away.
 * A key without a definition is free JSON and passes as it is.
 */
export function checkCustomFields(
  definitions: readonly CustomFieldDefinition[],
  values: Record<string, unknown>,
  errors: InputError[],
  pointer = '/custom_fields',
): CustomChange {
  const byKey = new Map(definitions.map((definition) => [definition.key, definition]))
  const set: [string, unknown][] = []
  const removed: string[] = []
  for (const [key, value] of Object.entries(values)) {
    const definition = byKey.get(key)
    if (value === null || (definition && isEmpty(value))) {
      removed.push(key)
      continue
    }
    const judged = definition ? judgeCustomValue(definition, value) : { value }
    if ('fault' in judged) errors.push({ pointer: `${pointer}/${escapePointer(key)}`, ...judged.fault })
    else set.push([key, judged.value])
  }
  return { set: Object.fromEntries(set), removed }
}

/** The fields that a person who makes a contact by hand has to fill, and left empty in `values`. */
export function missingFields(
  definitions: readonly CustomFieldDefinition[],
  values: Record<string, unknown>,
  pointer = '/custom_fields',
): InputError[] {
  return definitions
    .filter(({ required, key }) => required && (!Object.hasOwn(values, key) || isEmpty(values[key])))
    .map(({ key, label }) => ({
      pointer: `${pointer}/${key}`,
      code: 'required',
      detail: `A contact made by hand needs “${label}”.`,
    }))
}

/** Key by key: what the change does not name stays as it is. */
export function mergeCustomFields(before: Record<string, unknown>, { set, removed }: CustomChange) {
  const kept = Object.entries(before).filter(([key]) => !removed.includes(key))
  return Object.fromEntries([...kept, ...Object.entries(set)])
}

/** Judges one JSON value that is not null. */
export function judgeCustomValue(definition: CustomFieldDefinition, value: unknown): Judged {
  switch (definition.type) {
    case 'text':
      return typeof value === 'string' ? judgeText(definition, value) : wrongType(definition, 'a text')
    case 'url':
      return typeof value === 'string' ? judgeUrl(value) : wrongType(definition, 'a web address in quotes')
    case 'number':
      return typeof value === 'number' ? judgeNumber(definition, value) : wrongType(definition, 'a number')
    case 'date':
      return typeof value === 'string' ? judgeDate(definition, value) : wrongType(definition, 'a date in quotes')
    case 'boolean':
      return typeof value === 'boolean' ? { value } : wrongType(definition, 'true or false')
    case 'choice':
      return typeof value === 'string' ? judgeChoice(definition, value) : wrongType(definition, 'one of its choices')
    case 'multi_choice':
      return Array.isArray(value) ? judgeChoices(definition, value) : wrongType(definition, 'a list of its choices')
    default:
      return definition.type satisfies never
  }
}

export interface ReadingOptions {
  /** Whether 1,5 is one and a half; otherwise the comma parts thousands. */
  decimalComma?: boolean
  /** Whether 03/04 is the third of April or the fourth of March. */
  dateOrder?: 'dmy' | 'mdy'
}

/** Reads a text as people write it: `1 234,5`, `31/03/2026`, `oui`, `Gold; Silver`. It never gets an empty one. */
export function parseCustomValue(
  definition: CustomFieldDefinition,
  text: string,
  { decimalComma = false, dateOrder = 'dmy' }: ReadingOptions = {},
): Judged {
  const trimmed = text.trim()
  switch (definition.type) {
    case 'text':
      return judgeText(definition, trimmed)
    case 'url':
      return judgeUrl(/^www\./i.test(trimmed) ? `https://${trimmed}` : trimmed)
    case 'number':
      return parseNumber(definition, trimmed, decimalComma)
    case 'date':
      return judgeDate(definition, toIsoDate(trimmed, dateOrder) ?? trimmed)
    case 'boolean':
      return parseBoolean(definition, trimmed)
    case 'choice':
      return judgeChoice(definition, choiceNamed(definition, trimmed))
    case 'multi_choice':
      return judgeChoices(
        definition,
        trimmed
          .split(/[,;|]/)
          .map((part) => part.trim())
          .filter(Boolean)
          .map((part) => choiceNamed(definition, part)),
      )
    default:
      return definition.type satisfies never
  }
}

/** Whether `YYYY-MM-DD` names a day that there is. */
export function isIsoDate(text: string): boolean {
  const parts = /^(\d{4})-(\d\d)-(\d\d)$/.exec(text)
  if (!parts || parts[1] === '0000') return false
  const [year, month, day] = parts.slice(1).map(Number) as [number, number, number]
  const lastDay = new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate()
  return month >= 1 && month <= 12 && day >= 1 && day <= lastDay
}

function isEmpty(value: unknown): boolean {
  return value === null || value === '' || (Array.isArray(value) && value.length === 0)
}

function fault(code: string, detail: string): Judged {
  return { fault: { code, detail } }
}

function wrongType({ label }: CustomFieldDefinition, expected: string): Judged {
  return fault('type', `“${label}” takes ${expected}.`)
}

function judgeText({ label, max_length }: CustomFieldDefinition, value: string): Judged {
  const most = max_length ?? textLengthMax
  return value.length <= most ? { value } : fault('too_long', `“${label}” takes at most ${most} characters.`)
}

function judgeUrl(text: string): Judged {
  const value = text.trim()
  const url = value.length <= urlLengthMax && !/\s/.test(value) ? URL.parse(value) : null
  const fits = (url?.protocol === 'https:' || url?.protocol === 'http:') && url.hostname !== ''
  return fits ? { value } : fault('format', 'Expected a web address such as https://example.org.')
}

/** A whole number past 2^53 arrives as another one than was sent, so it is refused rather than stored wrong. */
function judgeNumber({ label, minimum, maximum }: CustomFieldDefinition, value: number): Judged {
  if (!Number.isFinite(value) || Math.abs(value) > Number.MAX_SAFE_INTEGER) {
    return fault('not_exact', `“${label}” cannot hold this number exactly; keep it as a text.`)
  }
  if (minimum !== null && value < Number(minimum)) return fault('too_small', `“${label}” begins at ${minimum}.`)
  if (maximum !== null && value > Number(maximum)) return fault('too_large', `“${label}” ends at ${maximum}.`)
  return { value: value === 0 ? 0 : value } // -0 is no number that people know
}

function judgeDate({ label, minimum, maximum }: CustomFieldDefinition, value: string): Judged {
  if (!isIsoDate(value)) return fault('format', `“${label}” takes a date such as 2026-03-31.`)
  // Dates of four-digit years sort as texts do.
  if (minimum !== null && value < minimum) return fault('too_small', `“${label}” begins at ${minimum}.`)
  if (maximum !== null && value > maximum) return fault('too_large', `“${label}” ends at ${maximum}.`)
  return { value }
}

function judgeChoice({ label, choices }: CustomFieldDefinition, value: string): Judged {
  if (choices.some((choice) => choice.value === value)) return { value }
  return fault('not_a_choice', `“${label}” is one of ${offered(choices)}.`)
}

function judgeChoices({ label, choices }: CustomFieldDefinition, values: unknown[]): Judged {
  const known = new Set(choices.map((choice) => choice.value))
  const fits = values.every((value) => typeof value === 'string' && known.has(value))
  return fits ? { value: [...new Set(values)] } : fault('not_a_choice', `“${label}” takes any of ${offered(choices)}.`)
}

function offered(choices: CustomFieldDefinition['choices']): string {
  const names = choices.slice(0, 10).map(({ value }) => value)
  return names.join(', ') + (choices.length > names.length ? ' …' : '')
}

/** By its value, or by its label as people see it; what is neither is judged as it stands. */
function choiceNamed({ choices }: CustomFieldDefinition, text: string): string {
  const folded = fold(text)
  const found =
    choices.find(({ value }) => value === text) ??
    choices.find(({ value, label }) => fold(value) === folded || fold(label) === folded)
  return found?.value ?? text
}

/** Fifteen digits are what a JSON number holds exactly, wherever its point is. */
function parseNumber(definition: CustomFieldDefinition, text: string, decimalComma: boolean): Judged {
  const [point, group] = decimalComma ? [',', '.'] : ['.', ',']
  const form = new RegExp(`^[+-]?(\\d{1,3}([\\s\\u00a0\\u202f'’${group}]\\d{3})+|\\d+)?(\\${point}\\d+)?$`)
  const plain = text.replaceAll('−', '-')
  if (!/\d/.test(plain) || !form.test(plain)) {
    return fault('number', `“${definition.label}” takes a number such as 1234${point}5.`)
  }
  const digits = plain
    .replaceAll(/[^\d,.+-]/g, '')
    .replaceAll(group!, '')
    .replace(',', '.')
  if (digits.replaceAll(/\D/g, '').replace(/^0+/, '').length > 15) {
    return fault('not_exact', `“${definition.label}” cannot hold more than 15 digits; keep it as a text.`)
  }
  return judgeNumber(definition, Number(digits))
}

const yes = new Set('yes y true t 1 on x oui o vrai da adevarat ja j si wahr'.split(' '))
const no = new Set('no n false f 0 off non faux nu fals nein falsch'.split(' '))

function parseBoolean({ label }: CustomFieldDefinition, text: string): Judged {
  const folded = fold(text)
  if (yes.has(folded)) return { value: true }
  return no.has(folded) ? { value: false } : fault('yes_no', `“${label}” takes yes or no.`)
}

/** The forms in which files write a day; a time of day behind it is left out. */
function toIsoDate(text: string, order: 'dmy' | 'mdy'): string | null {
  const day = text.replace(/[T ]\d\d?:\d\d.*$/, '')
  const iso = /^(\d{4})[-/.](\d\d?)[-/.](\d\d?)$/.exec(day)
  if (iso) return joined(iso[1]!, iso[2]!, iso[3]!)
  const local = /^(\d\d?)([./-])(\d\d?)\2(\d{4})$/.exec(day)
  if (!local) return null
  const [, first, separator, second, year] = local as unknown as [string, string, string, string, string]
  return order === 'mdy' && separator !== '.' ? joined(year, first, second) : joined(year, second, first)
}

function joined(year: string, month: string, day: string): string {
  return `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`
}

function fold(text: string): string {
  return text.normalize('NFKD').replaceAll(/\p{M}/gu, '').trim().toLowerCase()
}

function escapePointer(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1')
}
