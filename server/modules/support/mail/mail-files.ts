/**
 * What came with a mail becomes the ticket's attachments, under the rules that uploads have. A job does it, because a scanner
 * takes its time and nothing may be held meanwhile; what is refused is named to the house.
 */
import './mail-tables.ts'
import { Readable } from 'node:stream'
import { systemActor } from '#platform/actor.ts'
import { RapportError } from '#platform/errors.ts'
import type { Job, JobDefinition } from '#platform/jobs/job.ts'
import { openInboundMail } from '#platform/mail-in/reading.ts'
import { storeAttachment, type StoredAttachment } from '../attachment-files.ts'
import { insertAttachments } from '../attachments.ts'
import { addMessage } from '../messages.ts'
import { lockLiveTicket } from '../tickets.ts'

export const mailFilesJob: JobDefinition = {
  kind: 'support.keep_mail_files',
  retryLimit: 8,
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
  for (const { name, content } of mail.files) {
    try {
      stored.push(await storeAttachment(job.runtime, place, { name, content: Readable.from([Buffer.from(content)]) }))
    } catch (error) {
      if (!(error instanceof RapportError)) throw error
      refused.push(`${name}: ${error.message}`)
    }
  }
  const kept = await job.transaction(async (tx) => {
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
    const ticket = await lockLiveTicket(tx, actor, row.ticket_id)
    const author = { kind: 'requester' as const, userId: null }
    await insertAttachments(tx, actor, { ticket, messageId: row.message_id }, stored, author)
    if (refused.length) {
      const by = { kind: 'program' as const, name: 'Rapport', email: '' }
      const content = `📎 ${refused.join('\n').slice(0, 4_000)}`
      await addMessage(tx, actor, ticket, { content, is_internal: true }, job.runtime, { author: by, source: 'email' })
    }
    return true
  })
  // Another attempt was faster: its files are the ticket's, and these are nobody's.
  if (!kept) for (const { fileKey } of stored) await job.runtime.files.delete(fileKey)
  return { kept: kept ? stored.length : 0, refused: refused.length }
}
