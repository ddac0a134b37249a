/** Which column becomes which field: guessed by header and by values, or as a person says. */
import { Invalid, type InputError } from '#platform/errors.ts'
import { isEmail } from '#platform/http/validation.ts'
import { fields, foldHeader, isTarget, type FieldName, type Target } from './fields.ts'

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
}

/**
 * One suggestion per column. Each field is suggested once; what is not recognised keeps its place as a custom field of
 * its header's name, so that nothing is dropped unseen.
 */
export function suggestTargets(header: string[], samples: string[][]): Suggestion[] {
  const taken = new Set<Target>()
  const suggestions = header.map((): Suggestion => ({ target: null, confidence: 0 }))
  const offer = (guess: (index: number) => Suggestion | null): void => {
    for (const index of header.keys()) {
      if (suggestions[index]!.target !== null) continue
      const found = guess(index)
      if (!found || taken.has(found.target)) continue
      taken.add(found.target)
      suggestions[index] = found
    }
  }
  offer((index) => byHeader(header[index]!, samples[index] ?? []))
  offer((index) => byPartOfHeader(header[index]!))
  offer((index) => byValues(samples[index] ?? []))
  offer((index) => asCustom(header[index]!, samples[index] ?? []))
  // A file with both "Name" and "First name" means the last name by the former.
  if (taken.has('first_name') && !taken.has('last_name')) {
    const whole = suggestions.findIndex(({ target }) => target === 'full_name')
    if (whole >= 0) suggestions[whole] = { target: 'last_name', confidence: 0.7 }
  }
  return suggestions
}

function byHeader(header: string, samples: string[]): Suggestion | null {
  const target = fieldOfHeader(header)
  if (!target) return null
  const fits = target !== 'email' || samples.length === 0 || samples.some(isEmail)
  return { target, confidence: fits ? 1 : 0.5 }
}

function byPartOfHeader(header: string): Suggestion | null {
  const words = foldHeader(header)
  for (const [known, target] of fieldsByHeader) {
    if (known.length > 4 && (words.startsWith(`${known} `) || words.endsWith(` ${known}`)))
      return { target, confidence: 0.7 }
  }
  return null
}

function byValues(samples: string[]): Suggestion | null {
  if (!samples.length) return null
  const share = (test: (text: string) => boolean): number => samples.filter(test).length / samples.length
  if (share(isEmail) >= 0.8) return { target: 'email', confidence: 0.9 }
  if (share((text) => /^\+\d[\d\s().-]{7,}$/.test(text)) >= 0.8) return { target: 'phone', confidence: 0.7 }
  return null
}

function asCustom(header: string, samples: string[]): Suggestion | null {
  const key = foldHeader(header).replaceAll(' ', '_').slice(0, 60)
  if (!key || !samples.length) return null
  const target = `custom:${key}` as const
  return isTarget(target) ? { target, confidence: 0.3 } : null
}

/** Reads `{"E-mail": "email", "3": "custom:colour", "Notes": null}` against the file's header; a header goes before an index. */
export function resolveMapping(mapping: Record<string, string | null>, header: string[]): Target[] {
  const targets = header.map((): Target => null)
  const errors: InputError[] = []
  const refuse = (column: string, code: string, detail: string): void => {
    errors.push({ pointer: `/mapping/${column.replaceAll('~', '~0').replaceAll('/', '~1')}`, code, detail })
  }
  for (const [column, wanted] of Object.entries(mapping)) {
    const named = header.indexOf(column)
    const index = named >= 0 ? named : /^\d{1,4}$/.test(column) ? Number(column) : -1
    if (index < 0 || index >= header.length) refuse(column, 'unknown_column', 'The file has no such column.')
    else if (wanted !== null && !isTarget(wanted))
      refuse(column, 'unknown_field', `There is no field ${wanted.slice(0, 80)}.`)
    else if (wanted !== null && targets.includes(wanted) && wanted !== 'tags' && wanted !== 'notes') {
      refuse(column, 'mapped_twice', `Another column becomes ${wanted} already.`)
    } else targets[index] = wanted
  }
  if (errors.length) throw new Invalid('invalid', errors.map(({ detail }) => detail).join(' '), { errors })
  requireEmail(targets)
  return targets
}

export function requireEmail(targets: Target[]): void {
  if (targets.includes('email')) return
  throw Invalid.at('/mapping', 'email_missing', 'No column becomes the e-mail address. Map one to "email".')
}
