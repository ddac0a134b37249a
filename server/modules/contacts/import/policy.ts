/** What becomes of a field that a known contact has already: by default what the mode says, or as the importer chose. */
import { Type, type Static } from 'typebox'
import { Invalid, type InputError } from '#platform/errors.ts'
import { OneOf } from '#platform/http/shapes.ts'
import { isTarget, type Target } from './fields.ts'
import type { Duplicates } from './merge/plan.ts'

export const rules = ['fill_empty', 'overwrite', 'append', 'newest'] as const
export type Rule = (typeof rules)[number]

export const PolicyShape = Type.Record(Type.String({ maxLength: 80 }), OneOf(rules), {
  description:
    'Field → what happens where the contact has a value: fill_empty keeps it, overwrite replaces it (an empty cell never does), append adds to notes and tags, newest replaces it where the file\'s "updated_at" is later than the contact\'s. "default" is for all others.',
})
export type Policy = Static<typeof PolicyShape>

/** What can grow. */
const growing: readonly string[] = ['notes', 'tags']

/** Without a word about it: update overwrites, merge fills and appends; tags are always added. */
export function ruleFor(plan: { duplicates: Duplicates; policy: Policy }, field: string): Rule {
  const chosen = plan.policy[field]
  if (chosen) return chosen
  if (field === 'tags') return 'append'
  const general = plan.policy.default ?? (plan.duplicates === 'update' ? 'overwrite' : 'fill_empty')
  if (general === 'append') return growing.includes(field) ? 'append' : 'fill_empty'
  const isMerge = plan.duplicates === 'merge' && !plan.policy.default
  return field === 'notes' && isMerge ? 'append' : general
}

/** Refuses what could never do anything; answers the policy with custom fields under their inner names. */
export function resolvePolicy(policy: Policy | undefined, duplicates: Duplicates, targets: readonly Target[]): Policy {
  const resolved: Policy = {}
  const errors: InputError[] = []
  const refuse = (field: string, code: string, detail: string): void =>
    void errors.push({ pointer: `/policy/${field.replaceAll('~', '~0').replaceAll('/', '~1')}`, code, detail })
  for (const [field, rule] of Object.entries(policy ?? {})) {
    const target = field.replace(/^custom_fields\./, 'custom:')
    if (field !== 'default' && !isTarget(target)) refuse(field, 'unknown_field', `There is no field ${field}.`)
    else if (consentFields.includes(target))
      refuse(field, 'consent', 'Consent has rules of its own: a "no" is always kept.')
    else if (rule === 'append' && field !== 'default' && !growing.includes(field))
      refuse(field, 'cannot_append', 'Only notes and tags can be appended to.')
    else if (rule === 'newest' && !targets.includes('updated_at'))
      refuse(field, 'updated_at_missing', 'To know what is newest, map a column to "updated_at".')
    else resolved[target] = rule
  }
  if (Object.keys(resolved).length && duplicates === 'skip')
    refuse('default', 'mode_skip', 'With duplicates = skip, known contacts are left alone: choose update or merge.')
  if (errors.length) throw new Invalid('invalid', errors.map(({ detail }) => detail).join(' '), { errors })
  return resolved
}

const consentFields: readonly string[] = ['status', 'unsubscribed', 'newsletter_subscribed', 'marketing_subscribed']
