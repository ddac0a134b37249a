/**
 * What received mail keeps of people: the mails themselves, 30 days long. What modules made of them is theirs to hand out, so
 * a copy for the person has nothing of these; an erasure empties the rows at once, and takes the files after.
 */
import type { Tx } from '../db/db.ts'
import type { Db } from '../db/db.ts'
import type { Person } from '../privacy/personal-data.ts'
import type { Services } from '../services.ts'
import { forgetMail } from './upkeep.ts'

/** Those that the person wrote. */
export async function eraseMails(tx: Tx, person: Person): Promise<number> {
  if (!person.emails.length) return 0
  const erased = await tx.sql
    .updateTable('platform.inbound_mails')
    .set({
      state: 'erased',
      raw: null,
      message_id: null,
      envelope_from: null,
      from_address: null,
      subject: null,
      error: null,
      client: null,
      recipients: [],
    })
    .where('from_address', 'in', person.emails)
    .returning('id')
    .execute()
  return erased.length
}

export async function sweepMails(place: { workspaceId: string; db: Db; services: Services }): Promise<number> {
  const { workspaceId, db, services } = place
  const rows = await db.transaction(workspaceId, (tx) =>
    tx.sql.selectFrom('platform.inbound_mails').select('id').where('state', '=', 'erased').execute(),
  )
  for (const { id } of rows) await forgetMail({ db, files: services.files }, workspaceId, id)
  return rows.length
}
