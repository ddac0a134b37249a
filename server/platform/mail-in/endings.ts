/** How a mail in hand ends: with its outcome, in quarantine, or put off to a later attempt. */
import './tables.ts'
import { sql } from 'kysely'
import type { Tx } from '../db/db.ts'
import type { Handled, InboundMail } from './handler.ts'

export interface Prepared {
  id: string
  workspaceId: string
  attempts: number
  mail: InboundMail
}

export type End = Prepared & NonNullable<Handled>

export async function finish(tx: Tx, ends: End[]): Promise<void> {
  if (!ends.length) return
  const rows = ends.map(({ id, state, outcome, mail, attempts }) => ({
    id,
    state,
    outcome,
    attempts,
    kind: mail.kind,
    from_address: mail.fromAddresses[0]?.slice(0, 320) ?? null,
    subject: mail.subject,
  }))
  await sql`
    update platform.inbound_mails m
    set state = e.state, outcome = e.outcome, kind = e.kind, attempts = e.attempts, error = null,
      from_address = e.from_address, subject = e.subject, handled_at = ${tx.now}
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
      as e(id uuid, state text, outcome text, kind text, attempts int, from_address text, subject text)
    where m.workspace_id = ${tx.workspaceId}::uuid and m.id = e.id`.execute(tx.sql)
  await takeOff(
    tx,
    rows.map(({ id }) => id),
  )
}

export async function quarantine(tx: Tx, id: string, attempts: number, error: string): Promise<void> {
  await tx.sql
    .updateTable('platform.inbound_mails')
    .set({ state: 'quarantined', attempts, error, handled_at: tx.now })
    .where('id', '=', id)
    .where('state', '=', 'received')
    .execute()
  await takeOff(tx, [id])
}

export async function putOff(tx: Tx, id: string, attempts: number, error: string): Promise<void> {
  await tx.sql.updateTable('platform.inbound_mails').set({ attempts, error }).where('id', '=', id).execute()
  await sql`
    update platform.mail_queue set not_before = now() + make_interval(secs => ${10 * 4 ** (attempts - 1)})
    where workspace_id = ${tx.workspaceId} and mail_id = ${id}`.execute(tx.sql)
}

export async function takeOff(tx: Tx, ids: string[]): Promise<void> {
  await sql`
    delete from platform.mail_queue
    where workspace_id = ${tx.workspaceId}::uuid and mail_id = any(${ids}::uuid[])`.execute(tx.sql)
}
