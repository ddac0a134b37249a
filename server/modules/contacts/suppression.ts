/**
 * Addresses that nothing may be sent to. Kept as a keyed hash per workspace, so that a "no" outlives the contact and its
 * erasure without the address being kept, and an import cannot undo it.
 */
import { domainToASCII } from 'node:url'
import { sql } from 'kysely'
import type { Tx } from '#platform/db/db.ts'
import type { Services } from '#platform/services.ts'
import type { SuppressionReason } from './tables.ts'

type Keys = Pick<Services, 'tokens'>

/** The strictest last: a reason gives way only to a stricter one. */
const byStrictness: SuppressionReason[] = ['unsubscribe', 'manual', 'hard_bounce', 'complaint', 'erasure']

/**
 * Puts addresses on the list, once each; a hard bounce or complaint also shows as the status of their contacts. Called
 * where the contacts' rows are locked already, or with a batch of its own.
 */
export async function suppress(tx: Tx, services: Keys, emails: string[], reason: SuppressionReason): Promise<void> {
  if (!emails.length) return
  await sql`
    insert into contacts.suppressions (workspace_id, address_hash, reason, created_at)
    select distinct ${tx.workspaceId}::uuid, decode(hash, 'hex'), ${reason}, ${tx.now}::timestamptz
    from unnest(${hashesOf(tx, services, emails)}::text[]) as hash
    order by 2
    on conflict (workspace_id, address_hash) do update set reason = excluded.reason, created_at = excluded.created_at
    where array_position(${byStrictness}::text[], excluded.reason)
        > array_position(${byStrictness}::text[], suppressions.reason)`.execute(tx.sql)
  const status = reason === 'hard_bounce' ? 'bounced' : reason === 'complaint' ? 'complained' : null
  if (status) await showStatus(tx, emails, status)
}

/** Those of the addresses that must not get marketing; of transactional mail, an unsubscription keeps nothing back. */
export async function isSuppressed(
  tx: Tx,
  services: Keys,
  emails: string[],
  category: 'marketing' | 'newsletter' | 'transactional' = 'marketing',
): Promise<Set<string>> {
  const reasons = await suppressionsOf(tx, services, emails)
  return new Set(
    [...reasons]
      .filter(([, reason]) => category !== 'transactional' || reason !== 'unsubscribe')
      .map(([email]) => email),
  )
}

/** The reason by address, as the address was asked for. */
export async function suppressionsOf(
  tx: Tx,
  services: Keys,
  emails: string[],
): Promise<Map<string, SuppressionReason>> {
  if (!emails.length) return new Map()
  const { rows } = await sql<{ email: string; reason: SuppressionReason }>`
    select asked.email, s.reason
    from unnest(${emails}::text[], ${hashesOf(tx, services, emails)}::text[]) as asked(email, hash)
    join contacts.suppressions s
      on s.workspace_id = ${tx.workspaceId} and s.address_hash = decode(asked.hash, 'hex')`.execute(tx.sql)
  return new Map(rows.map((row) => [row.email, row.reason]))
}

/** A new double opt-in takes back the person's own unsubscription; bounces, complaints and erasures stay. */
export async function liftUnsubscription(tx: Tx, services: Keys, emails: string[]): Promise<void> {
  await lift(tx, services, emails, ['unsubscribe'])
}

/** Takes addresses off the list where they are there for one of these reasons. */
export async function lift(tx: Tx, services: Keys, emails: string[], reasons: SuppressionReason[]): Promise<void> {
  if (!emails.length) return
  await sql`
    delete from contacts.suppressions
    where workspace_id = ${tx.workspaceId} and reason = any(${reasons}::text[])
      and address_hash in (select decode(hash, 'hex') from unnest(${hashesOf(tx, services, emails)}::text[]) as hash)
  `.execute(tx.sql)
}

/** Hex of the address's keyed hash in this workspace; the same address hashes differently in another one. */
export function hashAddress(services: Keys, workspaceId: string, email: string): string {
  return services.tokens.fingerprint('contacts.address', `${workspaceId} ${normaliseAddress(email)}`).toString('hex')
}

/** One spelling for each mailbox: case and Unicode forms do not matter, nor whether the domain is written in punycode. */
export function normaliseAddress(email: string): string {
  const folded = email.trim().normalize('NFC').toLowerCase()
  const at = folded.lastIndexOf('@')
  const domain = folded.slice(at + 1)
  return at < 0 ? folded : `${folded.slice(0, at)}@${domainToASCII(domain) || domain}`
}

function hashesOf(tx: Tx, services: Keys, emails: string[]): string[] {
  return emails.map((email) => hashAddress(services, tx.workspaceId, email))
}

async function showStatus(tx: Tx, emails: string[], status: 'bounced' | 'complained'): Promise<void> {
  await sql`
    with shown as (
      select id from contacts.contacts
      where workspace_id = ${tx.workspaceId} and deleted_at is null and email_key in (select lower(email) from unnest(${emails}::text[]) as email)
        and status <> ${status} and status <> 'complained'
      order by id for no key update)
    update contacts.contacts c set status = ${status} from shown where c.workspace_id = ${tx.workspaceId} and c.id = shown.id
  `.execute(tx.sql)
}
