/** Work in the background: the mails of accounts. Each may be tried again; a link that went out before then is replaced. */
import type { Job, JobDefinition } from '#platform/jobs/job.ts'
import { sendNotice } from '#platform/mail/notice.ts'
import { invitationJob, noticeJob, resetJob } from './background.ts'
import { issueInvitation } from './invitations.ts'
import { nameOf } from './members.ts'
import { issueReset } from './passwords.ts'
import { invitationTexts, noticeTexts, resetTexts } from './texts.ts'
import { getWorkspace } from './workspaces.ts'

export const jobs: JobDefinition[] = [
  { kind: noticeJob.kind, retryLimit: 5, concurrency: 2, run: sendAccountNotice },
  { kind: resetJob.kind, retryLimit: 5, concurrency: 2, run: sendReset },
  { kind: invitationJob.kind, retryLimit: 8, concurrency: 2, run: sendInvitation },
]

async function sendAccountNotice({ data, runtime, transaction }: Job): Promise<object | void> {
  const { notice, user_id, ip, userAgent } = noticeJob.read(data)
  const user = await transaction((tx) =>
    tx.sql
      .selectFrom('accounts.users')
      .select(['email', 'full_name', 'language'])
      .where('id', '=', user_id)
      .where('origin', '=', 'rapport')
      .executeTakeFirst(),
  )
  if (!user?.email) return
  const url = `${runtime.publicUrl}/settings/security`
  const text = noticeTexts[notice][user.language]({ name: user.full_name, ip, userAgent, url })
  return sendNotice(runtime, { ...text, language: user.language, to: { address: user.email, name: user.full_name } })
}

async function sendReset({ data, runtime, transaction }: Job): Promise<object | void> {
  const reset = await transaction((tx) => issueReset(tx, resetJob.read(data).email))
  if (!reset) return
  const url = `${runtime.publicUrl}/reset-password#token=${reset.token}`
  const text = resetTexts[reset.language]({ name: reset.full_name, url })
  // Said the same whether or not there was a person: the job's result can be looked at.
  await sendNotice(runtime, { ...text, language: reset.language, to: { address: reset.to, name: reset.full_name } })
}

async function sendInvitation({ data, workspaceId, runtime, transaction }: Job): Promise<object | void> {
  const found = await transaction(async (tx) => {
    const issued = await issueInvitation(tx, runtime, invitationJob.read(data).invitation_id)
    if (!issued) return null
    const workspace = await getWorkspace(tx, tx.workspaceId)
    const { invited_by } = issued.row
    const names = await nameOf(tx, invited_by ? [invited_by] : [])
    return { ...issued, workspace: workspace.name, inviter: names.get(invited_by ?? '') || null }
  })
  if (!found) return
  const { row, token, workspace, inviter } = found
  const url = `${runtime.publicUrl}/invitation#token=${token}`
  const text = invitationTexts[row.language]({ workspace, inviter, url })
  return sendNotice(runtime, { ...text, language: row.language, to: { address: row.email }, workspaceId })
}
