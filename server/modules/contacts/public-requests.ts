/**
 * What a public form asks for in the name of an address. The form's answer is the same for everybody, and so is the work
 * before it: a row and a job. Whether the address is known, and what it may be sent, is found out in the job.
 */
import { sql } from 'kysely'
import type { Job, JobDefinition } from '#platform/jobs/job.ts'
import type { OutgoingMail } from '#platform/mail/mail.ts'
import type { Tx } from '#platform/db/db.ts'
import type { Services } from '#platform/services.ts'
import { newId } from '#platform/ids.ts'
import { prepareConfirmation, prepareUnsubscribeLink } from './public-mails.ts'

export interface FormDetails {
  firstName?: string | undefined
  lastName?: string | undefined
  newsletter: boolean
  marketing: boolean
  language: string
  /** Where the form stands: `website_footer`. */
  form?: string | undefined
  /** What the form said beside its box, when the site tells us. */
  wording?: string | undefined
  ip: string
  userAgent: string
}

export interface PublicRequest {
  id: string
  kind: 'subscribe' | 'unsubscribe'
  email: string
  details: FormDetails
  createdAt: Date
}

const jobKind = 'contacts.public_request'

export async function keepRequest(
  tx: Tx,
  kind: PublicRequest['kind'],
  email: string,
  details: FormDetails,
): Promise<void> {
  const id = newId()
  await tx.sql
    .insertInto('contacts.public_requests')
    .values({ workspace_id: tx.workspaceId, id, kind, email, details: JSON.stringify(details), created_at: tx.now })
    .execute()
  await tx.enqueue(jobKind, { request_id: id })
}

/**
 * Repeats end with the same mail under the same Message-ID. It may arrive twice only when the worker dies between
 * handing it over and noting that; a mail that cannot be handed over now is tried again.
 */
export const publicRequestJob: JobDefinition = {
  kind: jobKind,
  retryLimit: 6,
  concurrency: 2,
  async run(job: Job) {
    const requestId = String(job.data.request_id)
    const mail = await job.transaction((tx) => prepare(tx, job.runtime, requestId))
    if (mail) {
      const handover = await job.runtime.mail.send(mail)
      if (handover.outcome === 'deferred') throw new Error(`The mail server asks to wait: ${handover.response}`)
      if (handover.outcome === 'failed') job.log.warn({ kind: handover.kind }, 'a confirmation mail was refused')
    }
    await job.transaction((tx) => tx.sql.deleteFrom('contacts.public_requests').where('id', '=', requestId).execute())
  },
}

/** Requests whose job died for good, and limits that have run out. */
export async function forgetOldRequests(tx: Tx): Promise<void> {
  await sql`delete from contacts.public_requests where created_at < now() - interval '2 days'`.execute(tx.sql)
  await sql`delete from contacts.confirmation_mails where sent_at < now() - interval '2 days'`.execute(tx.sql)
}

async function prepare(tx: Tx, services: Services, id: string): Promise<OutgoingMail | null> {
  const row = await tx.sql
    .selectFrom('contacts.public_requests')
    .selectAll()
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst()
  if (!row) return null
  const details = row.details as unknown as FormDetails
  const request: PublicRequest = { id, kind: row.kind, email: row.email, details, createdAt: row.created_at }
  return row.kind === 'subscribe'
    ? prepareConfirmation(tx, services, request)
    : prepareUnsubscribeLink(tx, services, request)
}
