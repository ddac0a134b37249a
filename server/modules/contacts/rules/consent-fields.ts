/** What a person allows, by purpose: the state of the ledger, and since when. */
import { sql } from 'kysely'
import { recordsOf } from '../merging/survivors.ts'
import { c } from './columns.ts'
import type { ChoiceField, Sql, TimeField } from './field.ts'

const consentStates = ['granted', 'withdrawn', 'pending', 'none'] as const
const flags = {
  newsletter: 'newsletter_subscribed',
  marketing: 'marketing_subscribed',
  tracking: 'tracking_allowed',
} as const

/**
 * `granted` is the flag, which is what sending goes by. Without it the last entry of the ledger that grants nothing counts:
 * a request that waits for its confirmation is `pending`, also after a "no".
 */
export function consent(purpose: keyof typeof flags): [ChoiceField, TimeField] {
  const flag = c(flags[purpose])
  const latest = (column: Sql) => sql`(
    select ${column} from contacts.consents k
    where k.workspace_id = c.workspace_id and k.contact_id = any(${recordsOf(sql`c.id`)}) and k.purpose = ${purpose}
      and (k.decision = 'granted') = ${flag}
    order by k.recorded_at desc, k.id desc limit 1)`
  const state = sql<string>`case when ${flag} then 'granted' else coalesce(${latest(sql`k.decision`)}, 'none') end`
  const at = latest(sql`k.recorded_at`) as Sql<Date>
  const name = `consent.${purpose}`
  return [
    {
      type: 'choice',
      name,
      group: 'subscription',
      choices: consentStates,
      empty: null,
      shown: state,
      isOneOf: (values) => {
        if (values.every((value) => value === 'granted')) return sql<boolean>`${flag}`
        const others = sql<boolean>`${state} = any(${values}::text[])`
        return values.includes('granted') ? others : sql<boolean>`(not ${flag} and ${others})`
      },
    },
    { type: 'datetime', name: `${name}.at`, group: 'subscription', column: at, shown: at, empty: sql`${at} is null` },
  ]
}
