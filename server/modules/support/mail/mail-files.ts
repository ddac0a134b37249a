/**
 * What came with a mail becomes the ticket's attachments, under the rules that uploads have. A job does it, because a scanner
 * takes its time and nothing may be held meanwhile; what is refused is named to the house.
 */
import './mail-tables.ts'
import { Readable } from 'node:stream'
import { sql } from 'kysely'
import { systemActor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { RapportError } from '#platform/errors.ts'
import type { Job, JobDefinition } from '#platform/jobs/job.ts'
import { openInboundMail } from '#platform/mail-in/reading.ts'
import { discardFiles, storeAttachment, type StoredAttachment } from '../attachment-files.ts'
import { insertAttachments } from '../attachments.ts'
import { addMessage } from '../messages.ts'
import { lockLiveTicket } from '../tickets.ts'
import type { TicketMail } from './mail-tables.ts'

export const mailFilesJob: JobDefinition = {
  kind: 'support.keep_mail_files',
  // As long as a storage may be away.
  retryLimit: 100,
  concurrency: 2,
  run: keepMailFiles,
}

/** `ticket_mail_id`: the mail as the ticket knows it; `mail_id`: as it came. */
async function keepMailFiles(job: Job): Promise<object> {
  const [ticketMailId, mailId] = [String(job.data.ticket_mail_id), String(job.data.mail_id)]
  const row = await job.transaction((tx) =>
    tx.sql.selectFrom('support.ticket_mails').selectAll().where('id', '=', ticketMailId).executeTakeFirst(),
  )
  const mail = row && !row.files_kept_at ? await openInboundMail(job.runtime, job.workspaceId, mailId) : null
  if (!row || !mail) return { kept: 0 }
  const stored: StoredAttachment[] = []
  const refused: string[] = []
  const place = { workspaceId: job.workspaceId, ticketId: row.ticket_id }
  const discard = () => {
    const keys = stored.map(({ fileKey }) => fileKey)
    return discardFiles(job.runtime, job.workspaceId, keys)
  }
  for (const { name, content } of mail.files) {
    try {
      stored.push(await storeAttachment(job.runtime, place, { name, content: Readable.from([Buffer.from(content)]) }))
    } catch (error) {
      if (!(error instanceof RapportError)) {
        await discard()
        throw error
      }
      refused.push(`${name}: ${error.message}`)
    }
  }
  const write = async (tx: Tx): Promise<boolean> => {
    const claimed = await tx.sql
      .updateTable('support.ticket_mails')
      .set({ files_kept_at: tx.now })
      .where('workspace_id', '=', tx.workspaceId)
      .where('id', '=', ticketMailId)
      .where('files_kept_at', 'is', null)
      .returning('id')
      .executeTakeFirst()
    if (!claimed) return false
    const actor = systemActor(tx.workspaceId)
    const { ticketId, messageId } = await placeOf(tx, row)
    const ticket = await lockLiveTicket(tx, actor, ticketId)
    const author = { kind: 'requester' as const, userId: null }
    await insertAttachments(tx, actor, { ticket, messageId }, stored, author)
    if (refused.length) {
      const by = { kind: 'program' as const, name: 'Rapport', email: '' }
      const content = `📎 ${refused.join('\n').slice(0, 4_000)}`
      await addMessage(tx, actor, ticket, { content, is_internal: true }, job.runtime, { author: by, source: 'email' })
    }
    return true
  }
  const kept = await job.transaction(write).catch(async (error: unknown) => {
    await discard()
    throw error
  })
  // Another attempt was faster: its files are the ticket's, and these are nobody's.
  if (!kept) await discard()
  return { kept: kept ? stored.length : 0, refused: refused.length }
}

/**
 * Where the words of the mail are by now: a merge or a split may have moved them. What opened a ticket that was merged is a
 * message there, and only who reads the one may see the files.
 */
async function placeOf(tx: Tx, mail: TicketMail): Promise<{ ticketId: string; messageId: string | null }> {
  const { rows } = await sql<{ id: string; ticket_id: string }>`
    select m.id, m.ticket_id from support.messages m
    where m.workspace_id = ${tx.workspaceId}::uuid and ${
      mail.message_id
        ? sql`m.id = ${mail.message_id}::uuid`
        : sql`m.came_from = ${mail.ticket_id}::uuid and exists (select from support.tickets t
            where t.workspace_id = m.workspace_id and t.id = m.came_from and t.merged_into = m.ticket_id)`
    }
    order by m.created_at, m.id limit 1`.execute(tx.sql)
  return { ticketId: rows[0]?.ticket_id ?? mail.ticket_id, messageId: rows[0]?.id ?? mail.message_id }
}
