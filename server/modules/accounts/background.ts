/** The mails that accounts sends, as work for the background: what each job carries. `jobs.ts` does them. */
import type { Tx } from '#platform/db/db.ts'

/** Tells a person what happened to their account. */
export type Notice = {
  notice: 'new_device' | 'password_changed' | 'two_factor_on' | 'two_factor_off'
  user_id: string
  ip: string
  userAgent: string
}

export const noticeJob = carrier<Notice>('accounts.notice')
/** The address that somebody typed; whose it is, the job finds out. */
export const resetJob = carrier<{ email: string; ip: string }>('accounts.password_reset')
export const invitationJob = carrier<{ invitation_id: string }>('accounts.invitation')

function carrier<Data extends object>(kind: string) {
  return { kind, enqueue: (tx: Tx, data: Data) => tx.enqueue(kind, data), read: (data: object) => data as Data }
}
