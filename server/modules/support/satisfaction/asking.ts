/**
 * After a ticket is closed its requester is asked how it went: once per ticket, once a week per person, and never at an address
 * that must not be written to. The mail says nothing that the requester wrote, for the address may be somebody else's.
 */
import { sql } from 'kysely'
import type { Tx } from '#platform/db/db.ts'
import type { Event } from '#platform/events/outbox.ts'
import type { JobDefinition } from '#platform/jobs/job.ts'
import { readDkimKey } from '#platform/mail/dkim.ts'
import { composeNotice } from '#platform/mail/notice.ts'
import type { OutgoingMail } from '#platform/mail/mail.ts'
import { when, type Reaction } from '#platform/module.ts'
import type { Services } from '#platform/services.ts'
import { getWorkspace } from '#modules/accounts/index.ts'
import { chooseLanguage, isSuppressed } from '#modules/contacts/index.ts'
import type { Ticket } from '../tables.ts'
import { ratingToken } from './links.ts'
import { surveyTexts } from './texts.ts'

const jobKind = 'support.ask_satisfaction'

async function askLater(tx: Tx, events: Event[]): Promise<void> {
  for (const { data } of events) if (data.ticket_id) await tx.enqueue(jobKind, { ticket_id: String(data.ticket_id) })
}

export const satisfactionReactions: Reaction[] = [when('ticket.closed', 'support.ask_satisfaction', askLater)]

/** A repeat sends the same mail under the same Message-ID, and only after a try that did not hand it over. */
export const askJob: JobDefinition = {
  kind: jobKind,
  retryLimit: 6,
  concurrency: 2,
  async run(job) {
    const ticketId = String(job.data.ticket_id)
    const mail = await job.transaction((tx) => prepareSurvey(tx, job.runtime, ticketId, job.attempt > 1))
    if (!mail) return { sent: false }
    const handover = await job.runtime.mail.send(mail)
    if (handover.outcome === 'deferred') throw new Error(`The mail server asks to wait: ${handover.response}`)
    if (handover.outcome === 'failed') job.log.warn({ kind: handover.kind }, 'a survey was refused')
    return { sent: handover.outcome === 'sent' }
  },
}

async function prepareSurvey(
  tx: Tx,
  services: Services,
  ticketId: string,
  isRepeat: boolean,
): Promise<OutgoingMail | null> {
  const ticket = await takeTurn(tx, ticketId, isRepeat)
  if (!ticket) return null
  const { contact_email: email } = ticket
  if ((await isSuppressed(tx, services, [email], 'transactional')).has(email)) return null
  const workspace = await getWorkspace(tx, tx.workspaceId)
  const language = chooseLanguage(ticket.language, workspace.language)
  const { subject, paragraphs, button, footer } = surveyTexts[language]
  const from = {
    address: workspace.mail_from ?? services.config.mail.from,
    name: workspace.mail_from_name ?? workspace.name,
  }
  const token = ratingToken(services, { workspaceId: tx.workspaceId, ticketId }, tx.now)
  const notice = composeNotice({
    language,
    from,
    to: { address: email },
    subject: subject(workspace.name),
    paragraphs: paragraphs(ticket.ticket_number),
    button: { label: button, url: `${services.publicUrl}/rate/${token}` },
    footer: footer(workspace.name),
  })
  const messageId = `<${ticketId}.survey@${from.address.slice(from.address.lastIndexOf('@') + 1)}>`
  const dkim = services.config.dkim ? readDkimKey(services.config.dkim) : undefined
  return { ...notice, dkim, messageId, context: { workspaceId: tx.workspaceId } }
}

/** One update decides, however many jobs there are. A repeat keeps the turn that it took. */
async function takeTurn(tx: Tx, ticketId: string, isRepeat: boolean): Promise<Ticket | undefined> {
  const { rows } = await sql<Ticket>`
    update support.tickets t set satisfaction_asked_at = coalesce(t.satisfaction_asked_at, ${tx.now}::timestamptz)
    where t.workspace_id = ${tx.workspaceId}::uuid and t.id = ${ticketId}::uuid and t.status = 'closed'
      and t.deleted_at is null and t.merged_into is null and t.satisfaction_rating is null and t.contact_email <> ''
      and (t.satisfaction_asked_at is null or ${isRepeat})
      and not exists (select from support.tickets o
        where o.workspace_id = t.workspace_id and o.contact_id = t.contact_id and o.id <> t.id
          and o.satisfaction_asked_at > ${tx.now}::timestamptz - interval '7 days')
    returning t.*`.execute(tx.sql)
  return rows[0]
}
