/** What a reader of rules carries along: the faults so far, so that all of them are told at once. */
import type { InputError } from '#platform/errors.ts'
import type { Definitions } from './custom.ts'

export interface Reading {
  errors: InputError[]
  leaves: number
  definitions: Definitions
}

/** A typing error must not make a rule say less than its author thinks. */
export function refuseOthers(reading: Reading, node: Record<string, unknown>, pointer: string, known: string[]): void {
  for (const key of Object.keys(node)) {
    if (known.includes(key)) continue
    const step = key.slice(0, 100).replaceAll('~', '~0').replaceAll('/', '~1')
    fault(
      reading,
      `${pointer}/${step}`,
      'unknown_field',
      `Beside ${known[0]} there may be ${known.slice(1).join(', ') || 'nothing'}.`,
    )
  }
}

export function fault(reading: Reading, pointer: string, code: string, detail: string): null {
  reading.errors.push({ pointer, code, detail })
  return null
}
