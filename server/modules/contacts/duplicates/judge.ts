/**
 * What becomes a suggestion: a pair that is more likely one person than two, and besides, whatever the model says, the
 * criteria that people were promised: the same telephone number, and similar names in the same company. Pure.
 */
import { fields, levels, type Field, type Model } from './model.ts'
import type { Reason } from './tables.ts'
import { probabilityLeast } from './weights.ts'

export interface Verdict {
  /** In bits. */
  weight: number
  probability: number
  reasons: Reason[]
}

/** A number of so many people is a switchboard's. */
const sharersMost = 5
const at = Object.fromEntries(fields.map((field, index) => [field, index])) as Record<Field, number>
const [different, related] = (['different', 'related'] as const).map((level) => levels.indexOf(level))

/** Null where the two are no suggestion. */
export function judge(model: Model, a: number, b: number): Verdict | null {
  const likely = Math.log2(probabilityLeast / (1 - probabilityLeast)) - model.prior
  const { company } = model.people.columns
  const byPhone = model.sharesPhone(a, b, sharersMost)
  const byCompany = company[a] !== 0 && company[a] === company[b]
  const { total } = model.compare(a, b, byPhone || byCompany ? Number.NEGATIVE_INFINITY : likely)
  if (total < likely && !(byPhone || (byCompany && namesAlike(model)))) return null
  if (total < likely && isContradicted(model)) return null
  const { level, weight } = model.out
  return {
    weight: total,
    probability: Math.max(model.probability(total), probabilityLeast),
    reasons: fields.flatMap((field, index): Reason[] =>
      level[index] ? [[field, levels[level[index]!]!, Math.round(weight[index]! * 10) / 10]] : [],
    ),
  }
}

function namesAlike({ out: { level } }: Model): boolean {
  return level[at.first_name]! >= related! && level[at.last_name]! >= related!
}

/** By what a person has only one of. */
function isContradicted({ out: { level } }: Model): boolean {
  return level[at.birth_date] === different || level[at.identifier] === different
}
