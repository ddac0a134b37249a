/** Which policy holds for a ticket: the first active one, by position, whose conditions it meets. */
import type { Tx } from '#platform/db/db.ts'
import { amongAudience } from '#modules/contacts/index.ts'
import type { Ticket } from '../tables.ts'
import type { TermsReference } from './ledger-clocks.ts'
import { activePolicies } from './policies.ts'
import { meetsConditions, targetsOf } from './policy.ts'

export type ActivePolicy = Awaited<ReturnType<typeof activePolicies>>[number]

/** What is promised of this ticket now; null for nothing. `policies` come from `activePolicies`. */
export async function matchPolicy(
  tx: Tx,
  ticket: Ticket,
  policies: readonly ActivePolicy[],
): Promise<TermsReference | null> {
  for (const policy of policies) {
    if (!meetsConditions(policy.conditions, ticket)) continue
    const { contact } = policy.conditions
    if (contact && !(await isMeant(tx, contact, ticket.contact_id))) continue
    return {
      policy_id: policy.id,
      policy_version: policy.version,
      targets: targetsOf(policy.targets, ticket.priority),
      calendar: policy.calendar_id ? { id: policy.calendar_id, version: policy.calendar_version! } : null,
      pauses_while_waiting: policy.pause_while_waiting,
      warn_at_percent: policy.warn_at_percent,
    }
  }
  return null
}

/** Nobody is meant by a rule once they are erased. */
async function isMeant(
  tx: Tx,
  audience: NonNullable<ActivePolicy['conditions']['contact']>,
  contactId: string | null,
): Promise<boolean> {
  return contactId !== null && (await amongAudience(tx, audience, [contactId])).has(contactId)
}
