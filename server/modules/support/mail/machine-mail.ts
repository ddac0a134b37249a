/** What machines write about a ticket: it brings nothing back and starts no clock, but stands there for the house to read. */
import './mail-tables.ts'
import { sql } from 'kysely'
import { systemActor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import type { Handled, InboundMail } from '#platform/mail-in/handler.ts'
import { originalIds, readDeliveryReport } from '#platform/mail-in/report.ts'
import type { Services } from '#platform/services.ts'
import { addMessage } from '../messages.ts'
import type { Ticket } from '../tables.ts'
import { lockLiveTicket } from '../tickets.ts'
import { contentOf, isRepeated } from './content.ts'
import { findThread, ticketOfReport } from './threading.ts'

/** A vacation notice brings no ticket back and starts no clock, but the agent who waits for an answer should know. */
export async function noteAutoReply(tx: Tx, mail: InboundMail, services: Services): Promise<Handled> {
  const thread = await findThread(tx, services, mail)
  if (!thread?.mayJoin) return { state: 'ignored', outcome: 'auto_reply' }
  const { content } = contentOf(mail)
  return noteInternally(tx, services, thread.ticket, content, 'auto_reply_noted')
}

export async function noteBounce(tx: Tx, mail: InboundMail, services: Services): Promise<Handled> {
  const report = readDeliveryReport(mail.reportParts, mail.text)
  const failed = report.recipients.find(({ action }) => action === 'failed')
  const ticket = await ticketOfReport(tx, services, mail, originalIds(report.original))
  if (!ticket || !failed) return { state: 'ignored', outcome: 'bounce' }
  const reason = failed.diagnostic || failed.status || 'undeliverable'
  const { rows } = await sql<{ id: string }>`
    update support.ticket_mails set state = 'failed', reason = ${reason}
    where workspace_id = ${tx.workspaceId}::uuid and ticket_id = ${ticket.id} and direction = 'out'
      and mail_id = any(${originalIds(report.original)}::text[]) and state <> 'failed' returning id`.execute(tx.sql)
  if (!rows.length) return { state: 'ignored', outcome: 'bounce' }
  return noteInternally(tx, services, ticket, `✉ ${reason}`, 'bounce_noted')
}

async function noteInternally(tx: Tx, services: Services, ticket: Ticket, text: string, outcome: string) {
  const actor = systemActor(tx.workspaceId)
  const held = await lockLiveTicket(tx, actor, ticket.id)
  const content = text.trim().slice(0, 5_000) || '…'
  if (await isRepeated(tx, held.id, '', content)) return { state: 'ignored', outcome: 'repeated' } as const
  const author = { kind: 'program' as const, name: 'Rapport', email: '' }
  await addMessage(tx, actor, held, { content, is_internal: true }, services, { author, source: 'email' })
  return { state: 'handled', outcome } as const
}
