/** The mail to an admin about an urgent ticket that nobody answered. Nothing in it was written by the requester. */
import type { Role } from '#platform/actor.ts'
import type { Job, JobDefinition } from '#platform/jobs/job.ts'
import { sendNotice } from '#platform/mail/notice.ts'
import { getWorkspace, membersAmong } from '#modules/accounts/index.ts'
import { escalationTexts } from './texts.ts'

export const escalationMailKind = 'support.escalation_mail'
export const escalatedTo: readonly Role[] = ['owner', 'admin']

export const escalationMailJob: JobDefinition = {
  kind: escalationMailKind,
  retryLimit: 5,
  concurrency: 2,
  run: sendEscalation,
}

/** Not sent to somebody who is no admin any more, nor about a ticket that was answered or settled meanwhile. */
async function sendEscalation({ data, workspaceId, runtime, transaction }: Job): Promise<object> {
  const { ticket_id: ticketId, user_id: userId } = data as { ticket_id: string; user_id: string }
  const found = await transaction(async (tx) => {
    const ticket = await tx.sql
      .selectFrom('support.tickets')
      .select(['id', 'ticket_number', 'created_at', 'first_response_at', 'status', 'deleted_at'])
      .where('workspace_id', '=', tx.workspaceId)
      .where('id', '=', ticketId)
      .executeTakeFirst()
    const member = (await membersAmong(tx, [userId])).get(userId)
    const admin = member && escalatedTo.includes(member.role) ? member : null
    return { ticket, admin, workspace: await getWorkspace(tx, tx.workspaceId), now: tx.now }
  })
  const { ticket, admin, workspace, now } = found
  if (!ticket || ticket.deleted_at || ticket.first_response_at) return { outcome: 'not_needed' }
  if (ticket.status === 'resolved' || ticket.status === 'closed') return { outcome: 'not_needed' }
  if (!admin?.email) return { outcome: 'nobody' }
  const text = escalationTexts[admin.language]({
    name: admin.name,
    workspace: workspace.name,
    number: ticket.ticket_number,
    hours: Math.floor((now.getTime() - ticket.created_at.getTime()) / 3_600_000),
    url: `${runtime.publicUrl}/tickets/${ticket.id}`,
  })
  return sendNotice(runtime, {
    ...text,
    language: admin.language,
    to: { address: admin.email, name: admin.name },
    workspaceId,
  })
}
