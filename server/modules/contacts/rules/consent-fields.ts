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
  // One join for everybody, where the planner wants one; under either id, as `recordsOf` has it.
  const said = (which: Sql) => sql<boolean>`exists (select from (
      select k.contact_id as id from contacts.consents k
      where k.workspace_id = platform.workspace_id() and k.purpose = ${purpose} and ${which}
      union all
      select r.merged_into from contacts.consents k
      join contacts.contacts r on r.workspace_id = k.workspace_id and r.id = k.contact_id
      where r.workspace_id = platform.workspace_id() and r.merged_into is not null and k.purpose = ${purpose} and ${which}
    ) as said where said.id = c.id)`
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
        if (values.includes('none')) tests.push(sql`(not ${flag} and not ${said(sql`k.decision <> 'granted'`)})`)
        const others = values.filter((value) => value !== 'granted' && value !== 'none')
        // Few people said no or never answered: they are found by an index, and only they are asked what came last.
        if (others.length) {
          tests.push(sql`(not ${flag} and ${said(sql`k.decision <> 'granted' and k.decision = any(${others}::text[])`)}
            and ${latest(sql`k.decision`)} = any(${others}::text[]))`)
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
      among: (within) => said(within(sql`k.recorded_at`)),
    },
  ]
}
