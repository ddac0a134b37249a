/**
 * What a merged contact allows. Pure. A "no" belongs to the person: one of any record stands. A "yes" belongs to the address
 * that it was given with: it holds only where the record of the surviving address has it. So nobody is asked for less, and
 * no mailbox gets what it was not asked about.
 */
import type { ConsentSubject } from '../consent.ts'
import type { FlaggedPurpose } from '../consent-rules.ts'
import type { ContactStatus } from '../tables.ts'

export interface MergedConsent {
  flags: Record<FlaggedPurpose, boolean>
  status: ContactStatus
}

const flagged = ['newsletter', 'marketing', 'tracking'] as const

/** `owner` is the subject whose address survives. */
export function mergeConsent(subjects: readonly ConsentSubject[], owner: ConsentSubject): MergedConsent {
  const flags = { ...owner.flags }
  for (const purpose of flagged) {
    if (subjects.some((subject) => saidNo(subject, purpose))) flags[purpose] = false
  }
  return { flags, status: strictestStatus(subjects, owner) }
}

function saidNo(subject: ConsentSubject, purpose: FlaggedPurpose): boolean {
  if (subject.latest[purpose]?.decision === 'withdrawn') return true
  if (purpose === 'tracking') return false
  return hasLeft(subject) || hasComplained(subject)
}

function hasLeft({ status, suppressed }: ConsentSubject): boolean {
  return status === 'unsubscribed' || (suppressed !== null && suppressed !== 'hard_bounce')
}

function hasComplained({ status, suppressed }: ConsentSubject): boolean {
  return status === 'complained' || suppressed === 'complaint'
}

/** A mailbox that bounces tells nothing of the others; who complained or left did so for all of them. */
function strictestStatus(subjects: readonly ConsentSubject[], owner: ConsentSubject): ContactStatus {
  if (subjects.some(hasComplained)) return 'complained'
  if (owner.status === 'bounced') return 'bounced'
  return subjects.some(({ status }) => status === 'unsubscribed') ? 'unsubscribed' : owner.status
}
