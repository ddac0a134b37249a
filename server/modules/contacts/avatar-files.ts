/** Where the pictures of contacts lie, and how they go: after the commit, by a job. */
import type { Tx } from '#platform/db/db.ts'
import { removeFilesJob } from './stored-files.ts'

/** Of one picture, in both sizes. */
export function keysOf(workspaceId: string, contactId: string, fileId: string): string[] {
  return [512, 128].map((size) => `${workspaceId}/avatars/${contactId}/${fileId}-${size}.webp`)
}

/** The row goes now, the files after the commit. A contact without a picture stays as it is. */
export async function forgetAvatar(tx: Tx, contactId: string): Promise<void> {
  const row = await tx.sql
    .deleteFrom('contacts.avatars')
    .where('contact_id', '=', contactId)
    .returning('file_id')
    .executeTakeFirst()
  if (row) await tx.enqueue(removeFilesJob.kind, { keys: keysOf(tx.workspaceId, contactId, row.file_id) })
}
