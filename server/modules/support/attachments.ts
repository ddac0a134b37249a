/** Attachments as rows: who may see them, and what becomes of them. They are seen by whoever sees what they belong to. */
import { sql } from 'kysely'
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { Conflict, Forbidden, Gone, Invalid, NotFound, Unavailable } from '#platform/errors.ts'
import type { JobDefinition } from '#platform/jobs/job.ts'
import type { Services } from '#platform/services.ts'
import { isOfTheHouse, kindOf, personOf, visibleMessages } from './access.ts'
import { scanAttachment, type StoredAttachment } from './attachment-files.ts'
import { record, tell } from './ticket-events.ts'
import type { Attachment, AuthorKind, ScanState, Ticket, TicketMessage } from './tables.ts'
import { getTicket, lockTicket } from './tickets.ts'

/** How long a link to a file works. The document allows an hour; a redirect needs less. */
export const linkMs = 5 * 60_000

export interface Place {
  ticketId: string
  /** The message that the files belong to; without one they belong to the ticket, and its requester sees them. */
  messageId: string | null
}

/** Before a byte is stored: whether this actor may attach anything there. */
export async function requirePlace(tx: Tx, actor: Actor, place: Place): Promise<Ticket> {
  const ticket = await getTicket(tx, actor, place.ticketId)
  if (ticket.status === 'closed' && !isOfTheHouse(actor)) {
    throw new Conflict('ticket_closed', 'This ticket is closed. Write a message to open it again, then attach files.')
  }
  if (place.messageId) await requireMessage(tx, actor, place.ticketId, place.messageId)
  return ticket
}

export interface AttachmentAuthor {
  kind: AuthorKind
  userId: string | null
}

/** What could not be scanned is asked about again by a job, until there is an answer. */
export async function addAttachments(
  tx: Tx,
  actor: Actor,
  place: Place,
  files: StoredAttachment[],
  author: AttachmentAuthor = { kind: kindOf(actor), userId: personOf(actor) },
): Promise<Attachment[]> {
  await requirePlace(tx, actor, place)
  const ticket = await lockTicket(tx, actor, place.ticketId)
  return insertAttachments(tx, actor, { ticket, messageId: place.messageId }, files, author)
}

/** For callers that hold the ticket already, such as mail that came in. */
export async function insertAttachments(
  tx: Tx,
  actor: Actor,
  { ticket, messageId }: { ticket: Ticket; messageId: string | null },
  files: StoredAttachment[],
  author: AttachmentAuthor,
): Promise<Attachment[]> {
  if (!files.length) return []
  const rows = await tx.sql
    .insertInto('support.attachments')
    .values(
      files.map((file) => ({
        workspace_id: tx.workspaceId,
        id: file.id,
        ticket_id: ticket.id,
        message_id: messageId,
        user_id: author.userId,
        author_kind: author.kind,
        file_name: file.fileName,
        file_key: file.fileKey,
        file_type: file.fileType,
        mime_type: file.mimeType,
        size_bytes: file.sizeBytes,
        sha256: file.sha256,
        scan: file.scan,
        created_at: tx.now,
        updated_at: tx.now,
      })),
    )
    .returningAll()
    .execute()
  for (const { id, scan } of rows) if (scan === 'pending') await tx.enqueue(scanJob.kind, { attachment_id: id })
  await record(
    tx,
    actor,
    ticket.id,
    rows.map(({ id }) => ({ type: 'attachment' as const, to: id, data: { message_id: messageId } })),
  )
  await tell(tx, 'ticket.updated', ticket, { changed: ['attachments'] })
  return rows
}

/** Of the whole ticket, or of one message; the oldest first. A ticket has some hundreds at most. */
export async function listAttachments(
  tx: Tx,
  actor: Actor,
  ticketId: string,
  messageId?: string,
): Promise<Attachment[]> {
  const { rows } = await sql<Attachment>`
    select a.* from support.attachments a
    where a.workspace_id = ${tx.workspaceId}::uuid and a.ticket_id = ${ticketId}::uuid and ${isVisible(actor)}
      ${messageId ? sql`and a.message_id = ${messageId}::uuid` : sql``}
    order by a.created_at, a.id limit 1000`.execute(tx.sql)
  return rows
}

export async function getAttachment(tx: Tx, actor: Actor, ticketId: string, id: string): Promise<Attachment> {
  await getTicket(tx, actor, ticketId)
  const { rows } = await sql<Attachment>`
    select a.* from support.attachments a
    where a.workspace_id = ${tx.workspaceId}::uuid and a.ticket_id = ${ticketId}::uuid and a.id = ${id}::uuid
      and ${isVisible(actor)}`.execute(tx.sql)
  if (!rows[0]) throw new NotFound('attachment')
  return rows[0]
}

/** A link that saves the file and shows nothing, for a few minutes. */
export async function linkAttachment(services: Pick<Services, 'files'>, attachment: Attachment): Promise<string> {
  requireScanned(attachment)
  return services.files.signedUrl(attachment.file_key, {
    expiresInMs: linkMs,
    downloadName: attachment.file_name,
    type: attachment.mime_type,
  })
}

/** Whoever attached it, or an admin. The row goes now, the file after the commit. */
export async function deleteAttachment(tx: Tx, actor: Actor, ticketId: string, id: string): Promise<void> {
  const ticket = await lockTicket(tx, actor, ticketId)
  const attachment = await getAttachment(tx, actor, ticketId, id)
  const person = personOf(actor)
  const isOwn = person !== null && person === attachment.user_id
  if (!isOwn && !(isOfTheHouse(actor) && actor.role !== 'agent')) {
    throw new Forbidden('not_the_author', 'Only who attached it, or an admin, can delete an attachment.')
  }
  if (ticket.status === 'closed' && !isOfTheHouse(actor)) {
    throw new Conflict('ticket_closed', 'This ticket is closed; its attachments stay as they are.')
  }
  await tx.sql
    .deleteFrom('support.attachments')
    .where('workspace_id', '=', tx.workspaceId)
    .where('id', '=', id)
    .execute()
  await record(tx, actor, ticketId, [{ type: 'attachment', from: id }])
  await tell(tx, 'ticket.updated', ticket, { changed: ['attachments'] })
  await tx.enqueue('support.remove_files', { keys: [attachment.file_key] })
}

/** Fails while the scanner does not answer, so that it is tried again, and for good where nobody answers for days. */
export const scanJob: JobDefinition = {
  kind: 'support.scan_attachment',
  // Five minutes apart.
  retryLimit: 1_000,
  concurrency: 1,
  async run(job) {
    const id = String(job.data.attachment_id)
    const waiting = await job.transaction((tx) =>
      tx.sql
        .selectFrom('support.attachments')
        .select('file_key')
        .where('workspace_id', '=', tx.workspaceId)
        .where('id', '=', id)
        .where('scan', '=', 'pending')
        .executeTakeFirst(),
    )
    if (!waiting) return { scan: null }
    const scan = await verdictOn(job.runtime, waiting.file_key)
    if (scan === 'pending') throw new Error('the virus scanner does not answer')
    await job.transaction(async (tx) => {
      await tx.sql
        .updateTable('support.attachments')
        .set({ scan, updated_at: tx.now })
        .where('workspace_id', '=', tx.workspaceId)
        .where('id', '=', id)
        .where('scan', '=', 'pending')
        .execute()
      if (scan === 'infected') await tx.enqueue('support.remove_files', { keys: [waiting.file_key] })
    })
    return { scan }
  },
}

async function verdictOn(runtime: Services, fileKey: string): Promise<ScanState> {
  try {
    return await scanAttachment(runtime, fileKey)
  } catch (error) {
    if (error instanceof Invalid) return 'infected'
    throw error
  }
}

function requireScanned({ scan }: Attachment): void {
  if (scan === 'infected') throw new Gone('infected', 'The virus scanner condemned this file, so it was deleted.')
  if (scan !== 'pending') return
  throw new Unavailable('scanner_unavailable', 'This file waits for the virus scanner. Try again in a minute.', {
    retryAfterSeconds: 60,
  })
}

async function requireMessage(tx: Tx, actor: Actor, ticketId: string, id: string): Promise<void> {
  const { rows } = await sql<Pick<TicketMessage, 'user_id'>>`
    select m.user_id from support.messages m
    where m.workspace_id = ${tx.workspaceId}::uuid and m.ticket_id = ${ticketId}::uuid and m.id = ${id}::uuid
      and m.deleted_at is null and ${visibleMessages(actor)}`.execute(tx.sql)
  if (!rows[0]) throw Invalid.at('/message_id', 'not_found', 'There is no such message in this ticket.')
  const person = personOf(actor)
  if (isOfTheHouse(actor) || (person !== null && person === rows[0].user_id)) return
  throw Invalid.at('/message_id', 'not_yours', 'Files can be added to messages of one’s own.')
}

function isVisible(actor: Actor) {
  return sql<boolean>`(a.message_id is null or exists (
    select from support.messages m where m.workspace_id = a.workspace_id and m.id = a.message_id and m.deleted_at is null
      and ${visibleMessages(actor)}))`
}
