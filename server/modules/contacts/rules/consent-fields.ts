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
  const refusal = (which: Sql) => sql`exists (
    select from contacts.consents k
    where k.workspace_id = c.workspace_id and k.contact_id = c.id and k.purpose = ${purpose} and ${which})`
  const among = (within: (time: Sql) => Sql) => sql<boolean>`exists (
    select from contacts.consents k where k.workspace_id = c.workspace_id and k.contact_id = c.id
      and k.purpose = ${purpose} and ${within(sql`k.recorded_at`)})`
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
        const tests = values.includes('granted') ? [sql`${flag}`] : []
        if (values.includes('none')) tests.push(sql`(not ${flag} and not ${refusal(sql`k.decision <> 'granted'`)})`)
        const said = values.filter((value) => value !== 'granted' && value !== 'none')
        // Few people said no or never answered: they are found by an index, and only they are asked what came last.
        if (said.length) {
          tests.push(sql`(not ${flag} and ${refusal(sql`k.decision <> 'granted' and k.decision = any(${said}::text[])`)}
            and ${latest(sql`k.decision`)} = any(${said}::text[]))`)
        }
        return tests.length === 1 ? (tests[0] as Sql<boolean>) : sql<boolean>`(${sql.join(tests, sql` or `)})`
      },
    },
    {
      type: 'datetime',
      name: `${name}.at`,
      group: 'subscription',
      column: at,
      shown: at,
      empty: sql`${at} is null`,
      among,
    },
  ]
}
