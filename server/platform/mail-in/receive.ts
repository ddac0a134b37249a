/**
 * Keeps a mail before anybody is told that it was taken: one row for each workspace that it is for, and what waits to be
 * handled, in one transaction. The same mail a second time changes nothing, whichever door or mailbox it comes by.
 */
import './tables.ts'
import { createHash } from 'node:crypto'
import { newId } from '../ids.ts'
import type { Runtime } from '../services.ts'
import { splitAddress } from './address-token.ts'
import type { Destination } from './addresses.ts'
import { headerOf, readHeaderBlock, type Headers } from './header-block.ts'

export interface Arrival {
  door: 'smtp' | 'imap'
  raw: Buffer
  envelopeFrom: string | null
  /** As they were named, with what each is for us; at least one. */
  recipients: { named: string; destination: Destination }[]
  client: { ip: string; greeting: string } | null
}

/** A mail up to this size lies in its row: one write to the disk makes it safe. */
const inRowBytesMax = 200_000
/** Longer than any file takes to be written. */
const foreseenMs = 3_600_000

/** Answers how many workspaces had not had it before. Where one could not keep it, the others have it nevertheless. */
export async function receive(runtime: Pick<Runtime, 'db' | 'files'>, arrival: Arrival): Promise<number> {
  const outcomes = [...(await receiveEach(runtime, arrival)).values()]
  const failure = outcomes.find((outcome) => outcome instanceof Error)
  if (failure) throw failure
  return outcomes.filter(Boolean).length
}

/** By workspace: whether it was new there, or why it could not be kept. */
export async function receiveEach(
  runtime: Pick<Runtime, 'db' | 'files'>,
  arrival: Arrival,
): Promise<Map<string, boolean | Error>> {
  const outcomes = new Map<string, boolean | Error>()
  const byWorkspace = Map.groupBy(arrival.recipients, ({ destination }) => destination.workspaceId)
  for (const [workspaceId, recipients] of byWorkspace) {
    const kept = await keep(runtime, workspaceId, { ...arrival, recipients }).catch((error: unknown) =>
      error instanceof Error ? error : new Error(String(error)),
    )
    outcomes.set(workspaceId, kept)
  }
  return outcomes
}

async function keep({ db, files }: Pick<Runtime, 'db' | 'files'>, workspaceId: string, arrival: Arrival) {
  const { raw, recipients } = arrival
  const id = newId()
  const isSmall = raw.length <= inRowBytesMax
  const fileKey = isSmall ? null : mailFileKey(workspaceId, id)
  if (fileKey) {
    await foresee(db, workspaceId, id)
    await files.put(fileKey, raw, { type: 'message/rfc822', bytesMax: raw.length })
  }
  const head = readHeaderBlock(raw)
  const from = /[^\s<>@,;:"()]+@[^\s<>@,;:"()]+/.exec(headerOf(head, 'from'))?.[0]?.toLowerCase().slice(0, 320)
  const kept = await db.statement<{ mail_id: string }>(workspaceId, keeping, [
    workspaceId,
    id,
    arrival.door,
    isSmall ? raw : null,
    fileKey,
    raw.length,
    createHash('sha256').update(raw).digest('hex'),
    dedupeKey(head, raw, recipients),
    headerOf(head, 'message-id').slice(0, 300) || null,
    arrival.envelopeFrom?.slice(0, 320) ?? null,
    [...new Set(recipients.map(({ named }) => named))].slice(0, 100),
    from ?? null,
    arrival.client ? JSON.stringify(arrival.client) : null,
  ])
  const isNew = kept.length > 0
  if (!isNew && fileKey) await forgetFile({ db, files }, workspaceId, id)
  return isNew
}

const keeping = `
  with kept as (
    insert into platform.inbound_mails (workspace_id, id, door, raw, file_key, size_bytes, sha256, dedupe_key, message_id,
      envelope_from, recipients, from_address, client)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
    on conflict (workspace_id, dedupe_key) do nothing returning workspace_id, id)
  insert into platform.mail_queue (workspace_id, mail_id) select workspace_id, id from kept
  on conflict (workspace_id, mail_id) do update set not_before = now() returning mail_id`

export function mailFileKey(workspaceId: string, id: string): string {
  return `${workspaceId}/mail-in/${id}`
}

/** Killed between the file and its row, we would leave a stranger's mail that no erasure finds: the queue comes upon it. */
async function foresee(db: Runtime['db'], workspaceId: string, id: string): Promise<void> {
  const notBefore = new Date(Date.now() + foreseenMs)
  await db.transaction('system', (tx) =>
    tx.sql
      .insertInto('platform.mail_queue')
      .values({ workspace_id: workspaceId, mail_id: id, not_before: notBefore })
      .execute(),
  )
}

/** Of a mail that is not in the table, or not any more. */
export async function forgetFile(
  { db, files }: Pick<Runtime, 'db' | 'files'>,
  workspaceId: string,
  id: string,
): Promise<void> {
  await files.delete(mailFileKey(workspaceId, id))
  await db.transaction('system', (tx) =>
    tx.sql
      .deleteFrom('platform.mail_queue')
      .where('workspace_id', '=', workspaceId)
      .where('mail_id', '=', id)
      .execute(),
  )
}

/**
 * The id alone would let a stranger keep a mail away by sending one with its id before; with From and Date beside it the
 * stranger would have to know those too. Without an id, what was written decides. Reports about different mails of ours come
 * to different tokens, and are never one.
 */
function dedupeKey(head: Headers, raw: Buffer, recipients: Arrival['recipients']): string {
  const id = headerOf(head, 'message-id')
  // Each once: how many mailboxes one delivery is for does not make it another mail.
  const tags = [...new Set(recipients.map(({ named }) => splitAddress(named).tag ?? ''))].toSorted()
  const said = [id, headerOf(head, 'from'), headerOf(head, 'date'), headerOf(head, 'subject'), tags.join(' ')]
  const hash = createHash('sha256').update(JSON.stringify(said))
  if (!id) hash.update(bodyOf(raw))
  return hash.digest('hex')
}

/** Each server on the way adds to the head, and none to the body. */
function bodyOf(raw: Buffer): Buffer {
  const at = raw.indexOf('\r\n\r\n')
  const bare = raw.indexOf('\n\n')
  const end = at < 0 ? bare : bare < 0 ? at : Math.min(at, bare)
  return end < 0 ? raw : raw.subarray(end)
}
