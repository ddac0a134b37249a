/**
 * The consent ledger: who said what, when, where and to which wording. The contact's flags are its latest state, and
 * nothing but `recordConsent` sets them, so that there is no subscribed contact without the row that says why.
 */
import { createHash } from 'node:crypto'
import { sql } from 'kysely'
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import type { Services } from '#platform/services.ts'
import { Conflict } from '#platform/errors.ts'
import { newId } from '#platform/ids.ts'
import {
  judge,
  ownHand,
  strictest,
  type ConsentSource,
  type ConsentState,
  type FlaggedPurpose,
  type LatestDecision,
  type Refusal,
} from './consent-rules.ts'
import { announceConsent } from './consent-news.ts'
import { operationOf } from './operations/record.ts'
import { liftUnsubscription, suppress, suppressionsOf } from './suppression.ts'
import { survivorsOf } from './merging/survivors.ts'
import type { Contact, ConsentDecision, ConsentPurpose, ContactStatus } from './tables.ts'

export type { ConsentSource } from './consent-rules.ts'

export interface ConsentEntry {
  contactId: string
  purpose: ConsentPurpose
  decision: ConsentDecision
  source: ConsentSource
  /** The text that the person agreed to, as it was shown. */
  wording?: string
  ip?: string | null
  userAgent?: string | null
  /** What else proves it: the form, the request, the campaign (`campaign_id`), the times. */
  evidence?: Record<string, unknown>
  actor?: Pick<Actor, 'id' | 'name'> | null
}

export interface ConsentOutcome {
  /** What went into the ledger. */
  recorded: ConsentEntry[]
  /** What did not, because a "no" stands against it. What is merely known already is in neither. */
  refused: { entry: ConsentEntry; reason: Refusal }[]
}

/** A contact under lock, and what this call makes of it. */
export interface ConsentSubject extends ConsentState {
  id: string
  email: string
}

/** All that may be withdrawn: what "unsubscribe from everything" takes away. */
export const marketingPurposes = ['newsletter', 'marketing'] as const

/**
 * Writes any number of decisions, set-based: ledger, flags, dates, status, suppression, timeline and events. Contacts
 * that are not there are left out. Rows are locked in the order of their ids; a withdrawal that commits while a grant
 * waits for the lock wins.
 */
export async function recordConsent(
  tx: Tx,
  services: Pick<Services, 'tokens'>,
  told: ConsentEntry[],
): Promise<ConsentOutcome> {
  const outcome: ConsentOutcome = { recorded: [], refused: [] }
  if (!told.length) return outcome
  // A link in an old mail may name a record that was merged since: it is the same person.
  const survivors = await survivorsOf(
    tx,
    told.map((entry) => entry.contactId),
  )
  const entries = told.map((entry) => ({ ...entry, contactId: survivors.get(entry.contactId) ?? entry.contactId }))
  const byContact = Map.groupBy(entries, (entry) => entry.contactId)
  const subjects = await findSubjects(tx, services, [...byContact.keys()], { lock: true })
  const changes: Change[] = []
  for (const subject of subjects) changes.push(decide(subject, byContact.get(subject.id) ?? [], outcome))
  await writeLedger(tx, outcome.recorded)
  await writeFlags(tx, changes)
  await suppress(tx, services, emailsOf(changes, 'withdrawsAll'), 'unsubscribe')
  await liftUnsubscription(tx, services, emailsOf(changes, 'saysYes'))
  await announceConsent(tx, subjects, outcome.recorded)
  return outcome
}

/** What `recordConsent` would answer, had it been called now. Locks and writes nothing. */
export async function rehearseConsent(
  tx: Tx,
  services: Pick<Services, 'tokens'>,
  entries: ConsentEntry[],
): Promise<ConsentOutcome> {
  const outcome: ConsentOutcome = { recorded: [], refused: [] }
  const byContact = Map.groupBy(entries, (entry) => entry.contactId)
  const subjects = await findSubjects(tx, services, [...byContact.keys()], { lock: false })
  for (const subject of subjects) decide(subject, byContact.get(subject.id) ?? [], outcome)
  return outcome
}

/** For single contacts, where somebody is there to be told. */
export function requireAccepted(outcome: ConsentOutcome): void {
  if (!outcome.refused.length) return
  throw new Conflict(
    'unsubscribed_by_person',
    'This person unsubscribed by their own hand, so only they can subscribe again: by your form, or on their preference page.',
  )
}

export function hashWording(wording: string | undefined): string {
  return wording ? createHash('sha256').update(wording, 'utf8').digest('hex') : ''
}

interface Change {
  subject: ConsentSubject
  flags: Record<FlaggedPurpose, boolean>
  status: ContactStatus
  saysYes: boolean
  saysNo: boolean
  withdrawsAll: boolean
}

function decide(subject: ConsentSubject, entries: ConsentEntry[], outcome: ConsentOutcome): Change {
  const flags = { ...subject.flags }
  const change: Change = { subject, flags, status: subject.status, saysYes: false, saysNo: false, withdrawsAll: false }
  const chosen = strictest(entries.map((entry) => ({ ...entry, wordingSha256: hashWording(entry.wording) })))
  for (const entry of chosen) {
    const verdict = judge(subject, entry)
    if (verdict.refusal) outcome.refused.push({ entry, reason: verdict.refusal })
    if (!verdict.record) continue
    outcome.recorded.push(entry)
    if (entry.decision === 'pending' || entry.purpose === 'transactional') continue
    flags[entry.purpose] = entry.decision === 'granted'
    if (entry.purpose === 'tracking') continue
    if (entry.decision === 'granted') change.saysYes = true
    else change.saysNo = true
  }
  change.withdrawsAll = marketingPurposes.every((purpose) =>
    // A "yes" that is taken back was never there: that is no "no".
    chosen.some((entry) => entry.purpose === purpose && entry.decision === 'withdrawn' && entry.source !== 'undo'),
  )
  if (change.withdrawsAll && subject.status === 'active') change.status = 'unsubscribed'
  if (change.saysYes && subject.status === 'unsubscribed') change.status = 'active'
  return change
}

const consentColumns = [
  'id',
  'email',
  'status',
  'newsletter_subscribed',
  'marketing_subscribed',
  'tracking_allowed',
  'deleted_at',
] as const
type ConsentColumns = Record<(typeof consentColumns)[number], unknown>

/** Two statements: the second reads the ledger after the locks are held, so it sees what others committed meanwhile. */
async function findSubjects(
  tx: Tx,
  services: Pick<Services, 'tokens'>,
  ids: string[],
  { lock }: { lock: boolean },
): Promise<ConsentSubject[]> {
  const subjects = tx.sql
    .selectFrom('contacts.contacts')
    .select(consentColumns)
    .where('workspace_id', '=', tx.workspaceId)
    .where('id', '=', sql<string>`any(${ids}::uuid[])`)
    .orderBy('id')
  const contacts = await (lock ? subjects.forNoKeyUpdate() : subjects).execute()
  return readSubjects(tx, services, contacts)
}

/** What is known of these contacts, which the caller has locked; the records that were merged into one speak for it too. */
export async function readSubjects(
  tx: Tx,
  services: Pick<Services, 'tokens'>,
  contacts: Pick<Contact, keyof ConsentColumns>[],
): Promise<ConsentSubject[]> {
  const latest = await latestDecisions(
    tx,
    contacts.map((contact) => contact.id),
  )
  const suppressed = await suppressionsOf(
    tx,
    services,
    contacts.map((contact) => contact.email),
  )
  return contacts.map((contact) => ({
    id: contact.id,
    email: contact.email,
    deleted: contact.deleted_at !== null,
    status: contact.status,
    suppressed: suppressed.get(contact.email) ?? null,
    flags: {
      newsletter: contact.newsletter_subscribed,
      marketing: contact.marketing_subscribed,
      tracking: contact.tracking_allowed,
    },
    latest: latest.get(contact.id) ?? {},
  }))
}

type Latest = Partial<Record<ConsentPurpose, LatestDecision>>

/**
 * The last word of each contact, by purpose. A contact and the records that were merged into it have one each: what the
 * contact said after the merge counts; before that, a "no" of any of them, and rather one of the person's own hand.
 */
async function latestDecisions(tx: Tx, ids: string[]): Promise<Map<string, Latest>> {
  const { rows: decisions } = await sql<{
    owner_id: string
    purpose: ConsentPurpose
    decision: 'granted' | 'withdrawn'
    source: string
    wording_sha256: string
    during_this: boolean
    of_merged: boolean
  }>`
    with record as (
      select id as owner_id, id as contact_id, null::timestamptz as merged_at from unnest(${ids}::uuid[]) as id
      union all
      select merged_into, id, merged_at from contacts.contacts
      where workspace_id = ${tx.workspaceId} and merged_into = any(${ids}::uuid[])
    ), said as (
      select distinct on (r.owner_id, r.contact_id, k.purpose) r.owner_id, r.merged_at, k.purpose, k.decision, k.source,
        k.wording_sha256, k.recorded_at
      from record r join contacts.consents k
        on k.workspace_id = ${tx.workspaceId} and k.contact_id = r.contact_id and k.decision <> 'pending'
      order by r.owner_id, r.contact_id, k.purpose, k.recorded_at desc, k.id desc
    )
    select distinct on (owner_id, purpose) owner_id, purpose, decision, source, wording_sha256,
      recorded_at >= now() as during_this, merged_at is not null as of_merged
    from said
    where merged_at is null or not exists (
      select from said own where own.owner_id = said.owner_id and own.purpose = said.purpose and own.merged_at is null
        and own.recorded_at > said.merged_at)
    order by owner_id, purpose, decision = 'withdrawn' desc, source = any(${[...ownHand]}::text[]) desc, recorded_at desc`.execute(
    tx.sql,
  )
  const latest = new Map<string, Latest>()
  for (const { owner_id, purpose, decision, source, wording_sha256, during_this, of_merged } of decisions) {
    const known = latest.get(owner_id) ?? {}
    known[purpose] = {
      decision,
      source,
      wordingSha256: wording_sha256,
      duringThis: during_this,
      ofMerged: of_merged,
    }
    latest.set(owner_id, known)
  }
  return latest
}

/** The time is the moment of writing, under the contact's lock: it says which decision came last. */
async function writeLedger(tx: Tx, entries: ConsentEntry[]): Promise<void> {
  if (!entries.length) return
  const operationId = operationOf(tx)
  const rows = entries.map((entry) => ({
    id: newId(),
    contact_id: entry.contactId,
    purpose: entry.purpose,
    decision: entry.decision,
    source: entry.source,
    wording: entry.wording ?? '',
    wording_sha256: hashWording(entry.wording),
    ip: entry.ip ?? null,
    user_agent: entry.userAgent ?? null,
    evidence: operationId ? { ...entry.evidence, operation_id: operationId } : (entry.evidence ?? {}),
    actor_id: entry.actor?.id ?? null,
    actor_name: entry.actor?.name ?? '',
  }))
  await sql`
    insert into contacts.consents (workspace_id, id, contact_id, purpose, decision, source, wording, wording_sha256, ip,
      user_agent, evidence, actor_id, actor_name, recorded_at)
    select ${tx.workspaceId}::uuid, id, contact_id, purpose, decision, source, wording, wording_sha256, ip,
      user_agent, evidence, actor_id, actor_name, clock_timestamp()
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as entry(
      id uuid, contact_id uuid, purpose text, decision text, source text, wording text, wording_sha256 text, ip text,
      user_agent text, evidence jsonb, actor_id uuid, actor_name text)`.execute(tx.sql)
}

async function writeFlags(tx: Tx, changes: Change[]): Promise<void> {
  const rows = changes.filter(changesContact).map(({ subject, flags, status, saysYes, saysNo }) => ({
    id: subject.id,
    ...flags,
    status,
    says_yes: saysYes,
    says_no: saysNo,
  }))
  if (!rows.length) return
  await sql`
    update contacts.contacts c
    set newsletter_subscribed = e.newsletter, marketing_subscribed = e.marketing, tracking_allowed = e.tracking,
      status = e.status,
      subscribed_at = case when e.says_yes then ${tx.now}::timestamptz else c.subscribed_at end,
      unsubscribed_at = case when e.says_no then ${tx.now}::timestamptz when e.says_yes then null else c.unsubscribed_at end
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as e(
      id uuid, newsletter boolean, marketing boolean, tracking boolean, status text, says_yes boolean, says_no boolean)
    where c.workspace_id = ${tx.workspaceId} and c.id = e.id`.execute(tx.sql)
}

function changesContact({ subject, flags, status, saysYes, saysNo }: Change): boolean {
  return saysYes || saysNo || status !== subject.status || flags.tracking !== subject.flags.tracking
}

function emailsOf(changes: Change[], which: 'withdrawsAll' | 'saysYes'): string[] {
  return changes.filter((change) => change[which]).map((change) => change.subject.email)
}
