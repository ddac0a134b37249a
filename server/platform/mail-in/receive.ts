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

/** Answers how many workspaces had not had it before. */
export async function receive(runtime: Pick<Runtime, 'db' | 'files'>, arrival: Arrival): Promise<number> {
  let added = 0
  const byWorkspace = Map.groupBy(arrival.recipients, ({ destination }) => destination.workspaceId)
  for (const [workspaceId, recipients] of byWorkspace) {
    if (await keep(runtime, workspaceId, { ...arrival, recipients })) added++
  }
  return added
}

async function keep({ db, files }: Pick<Runtime, 'db' | 'files'>, workspaceId: string, arrival: Arrival) {
  const { raw, recipients } = arrival
  const id = newId()
  const isSmall = raw.length <= inRowBytesMax
  const fileKey = isSmall ? null : `${workspaceId}/mail-in/${id}`
  if (fileKey) await files.put(fileKey, raw, { type: 'message/rfc822', bytesMax: raw.length })
  const head = readHeaderBlock(raw)
  const isNew = await db.transaction(workspaceId, async (tx) => {
    const inserted = await tx.sql
      .insertInto('platform.inbound_mails')
      .values({
        workspace_id: workspaceId,
        id,
        door: arrival.door,
        raw: isSmall ? raw : null,
        file_key: fileKey,
        size_bytes: raw.length,
        sha256: createHash('sha256').update(raw).digest('hex'),
        dedupe_key: dedupeKey(head, raw, recipients),
        message_id: headerOf(head, 'message-id').slice(0, 300) || null,
        envelope_from: arrival.envelopeFrom?.slice(0, 320) ?? null,
        recipients: [...new Set(recipients.map(({ named }) => named))].slice(0, 100),
        from_address:
          /[^\s<>@,;:"()]+@[^\s<>@,;:"()]+/.exec(headerOf(head, 'from'))?.[0]?.toLowerCase().slice(0, 320) ?? null,
        client: arrival.client ? JSON.stringify(arrival.client) : null,
      })
      .onConflict((conflict) => conflict.columns(['workspace_id', 'dedupe_key']).doNothing())
      .returning('id')
      .executeTakeFirst()
    if (inserted)
      await tx.sql.insertInto('platform.mail_queue').values({ workspace_id: workspaceId, mail_id: id }).execute()
    return inserted !== undefined
  })
  if (!isNew && fileKey) await files.delete(fileKey)
  return isNew
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
