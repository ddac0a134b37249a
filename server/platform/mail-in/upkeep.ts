/** Forgets received mails that have served their time, with their files. */
import { sql } from 'kysely'
import { every } from '../module.ts'
import type { Runtime } from '../services.ts'

export const mailInTasks = [every('42 * * * *', 'platform.forget-mails', (runtime) => forgetMails(runtime))]

export async function forgetMails(runtime: Runtime): Promise<void> {
  for (;;) {
    const { rows } = await runtime.db.transaction('system', (tx) =>
      sql<{ workspace_id: string; id: string }>`select * from platform.mails_to_forget()`.execute(tx.sql),
    )
    for (const { workspace_id: workspaceId, id } of rows) await forgetMail(runtime, workspaceId, id)
    if (rows.length < 1000) return
  }
}

/** The file first: a row without its file is forgotten the next time, a file without its row never. */
export async function forgetMail({ db, files }: Pick<Runtime, 'db' | 'files'>, workspaceId: string, id: string) {
  const row = await db.transaction(workspaceId, (tx) =>
    tx.sql.selectFrom('platform.inbound_mails').select('file_key').where('id', '=', id).executeTakeFirst(),
  )
  if (row?.file_key) await files.delete(row.file_key)
  await db.transaction(workspaceId, async (tx) => {
    await tx.sql.deleteFrom('platform.inbound_mails').where('id', '=', id).execute()
    await tx.sql
      .deleteFrom('platform.mail_queue')
      .where('workspace_id', '=', workspaceId)
      .where('mail_id', '=', id)
      .execute()
  })
}
