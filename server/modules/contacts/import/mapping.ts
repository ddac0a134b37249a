/** Which column becomes which field: guessed by header and by values, or as a person says. */
import { Invalid, type InputError } from '#platform/errors.ts'
import { isEmail } from '#platform/http/validation.ts'
import { fields, foldHeader, isTarget, toTarget, type FieldName, type Target } from './fields.ts'
import type { Format } from './formats/inspect.ts'
import { cardTargets } from './formats/vcard.ts'
import { presetOf, withoutZone, type Preset } from './presets.ts'
import { typeOfValues, type ValueType } from './value-types.ts'

const fieldsByHeader = new Map<string, FieldName>(
  Object.entries(fields).flatMap(([name, { headers }]) =>
    headers.map((header) => [header, name as FieldName] as const),
  ),
)

export function fieldOfHeader(header: string): FieldName | null {
  const folded = foldHeader(header)
  const known = fieldsByHeader.get(folded) ?? fieldsByHeader.get(folded.replaceAll(' ', '_'))
  return (
    known ?? (Object.hasOwn(fields, folded.replaceAll(' ', '_')) ? (folded.replaceAll(' ', '_') as FieldName) : null)
  )
}

export interface Suggestion {
  target: Target
  /** 0 to 1. */
  confidence: number
  /** What the values look like, for a field that is made of the column. */
  type: ValueType | null
}

export interface Suggested {
  preset: string | null
  suggestions: Suggestion[]
}

type Guess = Pick<Suggestion, 'target' | 'confidence'>

/**
 * One suggestion per column. Each field is suggested once; what is not recognised keeps its place as a custom field of
 * its header's name, so that nothing is dropped unseen.
 */
export function suggestTargets(header: string[], samples: string[][], format: Format = 'csv'): Suggested {
  const folded = header.map(foldHeader)
  const preset = format === 'csv' || format === 'xlsx' ? presetOf(folded) : null
  const types = samples.map(typeOfValues)
  const taken = new Set<Target>()
  const guesses = header.map((): Guess | null => null)
  const offer = (guess: (index: number) => Guess | null): void => {
    for (const index of header.keys()) {
      if (guesses[index]) continue
      const found = guess(index)
      if (!found || (found.target !== null && taken.has(found.target) && found.target !== 'unsubscribed')) continue
      if (found.target) taken.add(found.target)
      guesses[index] = found
    }
  }
  offer((index) => byPreset(preset, folded[index]!, samples[index] ?? []))
  if (format === 'vcard') offer((index) => byCard(header[index]!))
  offer((index) => byHeader(header[index]!, samples[index] ?? []))
  offer((index) => byPartOfHeader(header[index]!))
  offer((index) => byValues(types[index]!.type, types[index]!.share))
  offer((index) => asCustom(header[index]!, samples[index] ?? [], format))
  // A file with both "Name" and "First name" means the last name by the former.
  if (taken.has('first_name') && !taken.has('last_name')) {
    const whole = guesses.findIndex((guess) => guess?.target === 'full_name')
    if (whole >= 0) guesses[whole] = { target: 'last_name', confidence: 0.7 }
  }
  return {
    preset: preset?.name ?? null,
    suggestions: guesses.map((guess, index) => ({
      ...(guess ?? { target: null, confidence: 0 }),
      type: types[index]!.type,
    })),
  }
}

function byPreset(preset: Preset | null, folded: string, samples: string[]): Guess | null {
  const known = preset?.columns
  const key = withoutZone(folded)
  if (!known || !Object.hasOwn(known, key)) return null
  // A column that this file leaves empty must not take the place of one that is filled.
  if (!samples.length && known[key] !== 'email') return { target: null, confidence: 0.9 }
  return { target: known[key]!, confidence: 1 }
}

function byCard(column: string): Guess | null {
  const target = cardTargets[column]
  return target ? { target: target as Target, confidence: 1 } : null
}

function byHeader(header: string, samples: string[]): Guess | null {
  // An export that is meant to come back says it outright.
  if (header.startsWith('custom:') && isTarget(header)) return { target: header as Target, confidence: 1 }
  const target = fieldOfHeader(header) ?? fieldOfHeader(withoutZone(foldHeader(header)))
  if (!target) return null
  const fits = target !== 'email' || samples.length === 0 || samples.some(isEmail)
  return { target, confidence: fits ? 1 : 0.5 }
}

function byPartOfHeader(header: string): Guess | null {
  const words = foldHeader(header)
  for (const [known, target] of fieldsByHeader) {
    if (known.length > 4 && (words.startsWith(`${known} `) || words.endsWith(` ${known}`)))
      return { target, confidence: 0.7 }
  }
  return null
}

/** Values alone say what is an address or a number; a date or a yes could mean anything. */
function byValues(type: ValueType | null, share: number): Guess | null {
  if (type === 'email') return { target: 'email', confidence: 0.9 * share }
  if (type === 'phone') return { target: 'phone', confidence: 0.7 * share }
  return type === 'tags' ? { target: 'tags', confidence: 0.5 * share } : null
}

function asCustom(header: string, samples: string[], format: Format): Guess | null {
  const key = foldHeader(header).replaceAll(' ', '_').slice(0, 60)
  // In cards and JSON an entry further down may have what the first ones lack.
  if (!key || (!samples.length && format !== 'vcard' && format !== 'json')) return null
  const target = `custom:${key}` as const
  return isTarget(target) ? { target, confidence: 0.3 } : null
}

/** Columns may share these: tags and notes gather, and any "no" counts. */
const shareable: readonly string[] = ['tags', 'notes', 'unsubscribed']

/** Reads `{"E-mail": "email", "3": "custom_fields.colour", "Notes": null}` against the file's header; a header goes before an index. */
export function resolveMapping(mapping: Record<string, string | null>, header: string[]): Target[] {
  const targets = header.map((): Target => null)
  const errors: InputError[] = []
  const refuse = (column: string, code: string, detail: string): void => {
    errors.push({ pointer: pointerTo(column), code, detail })
  }
  for (const [column, given] of Object.entries(mapping)) {
    const wanted = given === null ? null : toTarget(given)
    const index = indexOfColumn(column, header)
    if (index < 0) refuse(column, 'unknown_column', 'The file has no such column.')
    else if (wanted !== null && !isTarget(wanted))
      refuse(column, 'unknown_field', `There is no field ${wanted.slice(0, 80)}.`)
    else if (wanted !== null && targets.includes(wanted) && !shareable.includes(wanted)) {
      refuse(column, 'mapped_twice', `Another column becomes ${wanted} already.`)
    } else targets[index] = wanted
  }
  if (errors.length) throw new Invalid('invalid', errors.map(({ detail }) => detail).join(' '), { errors })
  requireEmail(targets)
  return targets
}

export function pointerTo(column: string, field = 'mapping'): string {
  return `/${field}/${column.replaceAll('~', '~0').replaceAll('/', '~1')}`
}

export function indexOfColumn(column: string, header: string[]): number {
  const named = header.indexOf(column)
  const index = named >= 0 ? named : /^\d{1,4}$/.test(column) ? Number(column) : -1
  return index < header.length ? index : -1
}

export function requireEmail(targets: Target[]): void {
  if (targets.includes('email')) return
  throw Invalid.at('/mapping', 'email_missing', 'No column becomes the e-mail address. Map one to "email".')
}
