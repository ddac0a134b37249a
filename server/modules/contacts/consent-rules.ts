/**
 * What a decision about consent may change: pure. The stricter wins. Only the person, or somebody who records what the
 * person said, turns a "no" into a "yes", and nobody but the person takes back a "no" of the person's own hand.
 */
import type { ConsentDecision, ConsentPurpose, ContactStatus, SuppressionReason } from './tables.ts'

/** By the person, through a link that only their mailbox holds. */
export const ownHand = ['confirmation_link', 'preference_page', 'unsubscribe_page', 'one_click', 'complaint'] as const
/**
 * A member of the team, or a program in their name, records what a person said. `undo` takes back an entry that should not
 * have been made; operations/consent-back.ts sees to it that it is that one alone.
 */
const recorded = ['person', 'api', 'undo'] as const
/** Somebody states it for many at once, or passes on what another system knows. */
const declared = ['import', 'bulk', 'event', 'form'] as const

export type ConsentSource = (typeof ownHand | typeof recorded | typeof declared)[number]

export type Refusal =
  | 'deleted'
  /** A withdrawal came in while this was on its way. */
  | 'overtaken'
  /** The person said no with their own hand, and only they can say yes again. */
  | 'unsubscribed_by_person'
  /** There is a "no", and a declaration is not enough against it. */
  | 'said_no'

export interface Verdict {
  record: boolean
  refusal?: Refusal
}

/** What is known of one contact while its row is locked. */
export interface ConsentState {
  deleted: boolean
  status: ContactStatus
  suppressed: SuppressionReason | null
  flags: Record<FlaggedPurpose, boolean>
  latest: Partial<Record<ConsentPurpose, LatestDecision>>
}

/** Purposes that the contact's record shows as a flag. Transactional mail has none: it cannot be switched off. */
export type FlaggedPurpose = Exclude<ConsentPurpose, 'transactional'>

export interface LatestDecision {
  decision: Exclude<ConsentDecision, 'pending'>
  source: string
  wordingSha256: string
  /** Recorded after the present transaction began, by another one. */
  duringThis: boolean
  /** Said under another record, which was merged into this one. */
  ofMerged?: boolean
}

export interface Decided {
  purpose: ConsentPurpose
  decision: ConsentDecision
  source: ConsentSource
  wordingSha256: string
}

/** Whether an entry goes into the ledger; a grant that goes in switches the flag on, a withdrawal switches it off. */
export function judge(state: ConsentState, entry: Decided): Verdict {
  const latest = state.latest[entry.purpose]
  if (entry.decision === 'withdrawn') {
    // What a merged record said goes with it when the merge is undone; what this one says stays.
    return { record: latest?.decision !== 'withdrawn' || latest.ofMerged === true || flagOf(state, entry) }
  }
  if (state.deleted) return refuse('deleted')
  if (entry.decision === 'pending') return { record: true }
  return judgeGrant(state, entry, latest)
}

function judgeGrant(state: ConsentState, entry: Decided, latest: LatestDecision | undefined): Verdict {
  const saidNo = latest?.decision === 'withdrawn'
  if (saidNo && latest.duringThis) return refuse('overtaken')
  if (!isOwnHand(entry.source)) {
    if ((saidNo && isOwnHand(latest.source)) || isFinal(state, latest)) return refuse('unsubscribed_by_person')
    if (isDeclared(entry.source) && (saidNo || state.status !== 'active' || state.suppressed)) return refuse('said_no')
  }
  // The same "yes" a second time proves nothing new.
  const known =
    latest?.decision === 'granted' && latest.source === entry.source && latest.wordingSha256 === entry.wordingSha256
  return { record: !known || (entry.purpose !== 'transactional' && !flagOf(state, entry)) }
}

/** Several entries for one purpose at once: a withdrawal among them is the one that counts. */
export function strictest<Entry extends Decided>(entries: Entry[]): Entry[] {
  const chosen = new Map<string, Entry>()
  for (const entry of entries) {
    const key = `${entry.purpose} ${entry.decision === 'pending' ? 'pending' : 'decision'}`
    if (chosen.get(key)?.decision !== 'withdrawn') chosen.set(key, entry)
  }
  return [...chosen.values()]
}

export function isOwnHand(source: string): boolean {
  return (ownHand as readonly string[]).includes(source)
}

function isDeclared(source: string): boolean {
  return (declared as readonly string[]).includes(source)
}

/** What no member of the team may undo: a complaint, an erasure, and an unsubscription that this record knows nothing of. */
function isFinal(state: ConsentState, latest: LatestDecision | undefined): boolean {
  if (state.status === 'complained' || state.suppressed === 'complaint' || state.suppressed === 'erasure') return true
  return state.suppressed === 'unsubscribe' && !latest
}

function flagOf(state: ConsentState, entry: Decided): boolean {
  return entry.purpose !== 'transactional' && state.flags[entry.purpose]
}

function refuse(refusal: Refusal): Verdict {
  return { record: false, refusal }
}
