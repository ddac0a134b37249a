/** A received mail, read again by those who have more to do with it than the handling allows. */
import './tables.ts'
import type { Runtime } from '../services.ts'
import { rawOf } from './handling.ts'
import { readMail, type ReceivedMail } from './read-mail.ts'

/** Null once it is forgotten. No transaction is open. */
export async function openInboundMail(
  runtime: Pick<Runtime, 'db' | 'files'>,
  workspaceId: string,
  id: string,
): Promise<ReceivedMail | null> {
  const row = await runtime.db.transaction(workspaceId, (tx) =>
    tx.sql
      .selectFrom('platform.inbound_mails')
      .select(['raw', 'file_key', 'state'])
      .where('id', '=', id)
      .executeTakeFirst(),
  )
  return row && row.state !== 'erased' ? readMail(await rawOf(runtime, row)) : null
}
