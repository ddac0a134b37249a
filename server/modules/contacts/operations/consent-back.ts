/**
 * Consent, when an operation is undone. A "yes" that it gave ends. A "no" is taken back only where it is the operation's own
 * and still the last word, so that no undo turns a person's "no" into a "yes" (docs/decisions/0012).
 */
import { sql } from 'kysely'
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import type { Services } from '#platform/services.ts'
import { recordConsent, type ConsentEntry } from '../consent.ts'
import { lift, suppress } from '../suppression.ts'
import type { ContactStatus } from '../tables.ts'
import type { Left, Weighed } from './weighing.ts'

export interface ConsentWish {
  contactId: string
  email: string
  consent: Weighed['consent']
  status: Weighed['status']
}

export interface ConsentBack {
  /** By contact, the fields that were put back. */
  restored: { contactId: string; field: string }[]
  left: { contactId: string; field: string; reason: Left }[]
}

/** The contacts are locked. */
export async function takeBackConsent(
  tx: Tx,
  actor: Actor,
  operationId: string,
  wishes: ConsentWish[],
  services: Pick<Services, 'tokens'>,
): Promise<ConsentBack> {
  const back: ConsentBack = { restored: [], left: [] }
  if (!wishes.length) return back
  const words = await lastWords(
    tx,
    operationId,
    wishes.map(({ contactId }) => contactId),
  )
  const isOwn = (contactId: string, purpose: string) => {
    const word = words.get(`${contactId} ${purpose}`)
    return !word || word.decision === 'granted' || word.operation_id === operationId
  }
  const entries: ConsentEntry[] = []
  for (const { contactId, consent } of wishes) {
    for (const { purpose, granted } of consent) {
      const field = `${purpose}_subscribed`
      const wording = words.get(`${contactId} ${purpose}`)?.granted_wording ?? ''
      if (granted && !isOwn(contactId, purpose)) back.left.push({ contactId, field, reason: 'said_no' })
      else {
        const decision = granted ? ('granted' as const) : ('withdrawn' as const)
        const evidence = { undone_operation_id: operationId }
        entries.push({ contactId, purpose, decision, source: 'undo', wording, evidence, actor })
      }
    }
  }
  const { recorded, refused } = await recordConsent(tx, services, entries)
  for (const { contactId, purpose } of recorded) back.restored.push({ contactId, field: `${purpose}_subscribed` })
  for (const { entry } of refused) {
    back.left.push({ contactId: entry.contactId, field: `${entry.purpose}_subscribed`, reason: 'said_no' })
  }
  const saidYes = new Set(recorded.flatMap((entry) => (entry.decision === 'granted' ? [entry.contactId] : [])))
  // A "no" from before the operation stood beside the status that comes back.
  const isSince = (contactId: string, purpose: string) =>
    !isOwn(contactId, purpose) && !words.get(`${contactId} ${purpose}`)?.is_earlier
  await putBackStatus(tx, services, wishes, { back, saidYes, isSince })
  return back
}

interface LastWord {
  contact_id: string
  purpose: string
  decision: 'granted' | 'withdrawn'
  operation_id: string | null
  /** Than the operation that is undone. */
  is_earlier: boolean
  /** What the person agreed to when they last did. */
  granted_wording: string | null
}

/**
 * What other operations said and took back counts as unsaid, and so do the undoings themselves: they said nothing that was not
 * said before.
 */
async function lastWords(tx: Tx, operationId: string, contactIds: string[]): Promise<Map<string, LastWord>> {
  const { rows } = await sql<LastWord>`
    select distinct on (k.contact_id, k.purpose) k.contact_id, k.purpose, k.decision, k.evidence->>'operation_id' as operation_id,
      k.recorded_at < (select u.created_at from contacts.operations u where u.workspace_id = k.workspace_id and u.id = ${operationId}::uuid) as is_earlier,
      (select g.wording from contacts.consents g
        where g.workspace_id = k.workspace_id and g.contact_id = k.contact_id and g.purpose = k.purpose and g.decision = 'granted'
        order by g.recorded_at desc, g.id desc limit 1) as granted_wording
    from contacts.consents k
    where k.workspace_id = ${tx.workspaceId} and k.contact_id = any(${contactIds}::uuid[]) and k.decision <> 'pending'
      and not exists (
        select from contacts.operations o
        where o.workspace_id = k.workspace_id and o.id <> ${operationId}::uuid and (o.kind = 'undo' or o.undone_at is not null)
          and o.id = case when k.evidence->>'operation_id' ~ '^[0-9a-f-]{36}$' then (k.evidence->>'operation_id')::uuid end)
    order by k.contact_id, k.purpose, k.recorded_at desc, k.id desc`.execute(tx.sql)
  return new Map(rows.map((row) => [`${row.contact_id} ${row.purpose}`, row]))
}

interface StatusContext {
  back: ConsentBack
  /** A "yes" that came back has brought the status with it. */
  saidYes: Set<string>
  /** A "no" that came after the operation is the last word. */
  isSince: (contactId: string, purpose: string) => boolean
}

async function putBackStatus(
  tx: Tx,
  services: Pick<Services, 'tokens'>,
  wishes: ConsentWish[],
  { back, saidYes, isSince }: StatusContext,
): Promise<void> {
  const set: { contactId: string; email: string; from: string; to: string }[] = []
  for (const { contactId, email, status } of wishes) {
    if (!status) continue
    const saidNo = ['newsletter', 'marketing'].some((purpose) => isSince(contactId, purpose))
    if (status.from === 'complained') back.left.push({ contactId, field: 'status', reason: 'complaint_stays' })
    else if (status.from === 'unsubscribed' && status.to === 'active' && saidYes.has(contactId)) {
      back.restored.push({ contactId, field: 'status' })
    } else if (status.from === 'unsubscribed' && status.to === 'active' && saidNo) {
      back.left.push({ contactId, field: 'status', reason: 'said_no' })
    } else set.push({ contactId, email, ...status })
  }
  const emailsOf = (which: (row: (typeof set)[number]) => boolean) => set.filter(which).map(({ email }) => email)
  // What stood on the list because of the operation goes; what it took from the list comes back.
  await lift(
    tx,
    services,
    emailsOf(({ from }) => from === 'unsubscribed'),
    ['unsubscribe'],
  )
  await lift(
    tx,
    services,
    emailsOf(({ from }) => from === 'bounced'),
    ['hard_bounce'],
  )
  for (const to of new Set(set.map((row) => row.to))) {
    const ids = set.filter((row) => row.to === to).map(({ contactId }) => contactId)
    await sql`
      update contacts.contacts set status = ${to as ContactStatus}
      where workspace_id = ${tx.workspaceId} and id = any(${ids}::uuid[])`.execute(tx.sql)
  }
  await suppress(
    tx,
    services,
    emailsOf(({ to }) => to === 'unsubscribed'),
    'unsubscribe',
  )
  await suppress(
    tx,
    services,
    emailsOf(({ to }) => to === 'bounced'),
    'hard_bounce',
  )
  for (const { contactId } of set) back.restored.push({ contactId, field: 'status' })
}
