/** A rule in an address is JSON text. */
import { Invalid } from '#platform/errors.ts'
import type { Rule } from './rule.ts'

/** What is no rule stays whatever it is: `readRule` says what is wrong with it. */
export function readRuleText(given: string | Rule, pointer = '/filter'): unknown {
  if (typeof given !== 'string') return given
  try {
    return JSON.parse(given)
  } catch {
    throw Invalid.at(pointer, 'json', 'The filter is not JSON. Write it as JSON, percent-encoded in an address.')
  }
}
