/** In bodies, who is meant is told by list parameters as an object, or by a rule in their place. */
import { Type, type Static, type TSchema } from 'typebox'
import type { Tx } from '#platform/db/db.ts'
import { Closed } from '#platform/http/shapes.ts'
import { ContactFilter, viewedFields } from './contact-query.ts'
import { readRuleText } from './rules/rule-text.ts'
import { resolveRule } from './rules/resolve.ts'
import { isRule, looksLikeRule, RuleShape, type Rule } from './rules/rule.ts'

/** Kept as it came; one of its keys tells a rule from the other. */
export const FilterOrRule = eitherOf(ContactFilter)
/** Where a saved view may be named beside the parameters. */
export const ViewedFilterOrRule = eitherOf(Closed(viewedFields))

function eitherOf(filter: TSchema) {
  return Type.Unsafe<ContactFilter | Rule>({
    type: 'object',
    additionalProperties: true,
    description: 'Either the parameters of GET /contacts as an object, or a rule (all, any, not, field, event)',
    if: looksLikeRule,
    // oxlint-disable-next-line unicorn/no-thenable
    then: RuleShape,
    else: filter,
  })
}
export type FilterOrRule = Static<typeof FilterOrRule>

export function toFilter(given: FilterOrRule | undefined): ContactFilter {
  return isRule(given) ? { filter: given } : (given ?? {})
}

/** Throws `Invalid` where the rule of a filter has faults, each with its pointer: `pointer` is that of the filter. */
export async function checkFilter(tx: Tx, given: FilterOrRule | undefined, pointer: string): Promise<void> {
  if (isRule(given)) await resolveRule(tx, given, pointer)
  else if (given?.filter) await resolveRule(tx, readRuleText(given.filter), `${pointer}/filter`)
}
