/** Where the pictures of contacts lie, and how they go: after the commit, by a job that may run any number of times. */
import type { Tx } from '#platform/db/db.ts'
import type { JobDefinition } from '#platform/jobs/job.ts'

const jobKind = 'contacts.remove_files'

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
  if (row) await tx.enqueue(jobKind, { keys: keysOf(tx.workspaceId, contactId, row.file_id) })
}

export const removeFilesJob: JobDefinition = {
  kind: jobKind,
  // Some eight hours: a bucket may be away.
  retryLimit: 100,
  concurrency: 1,
  async run(job) {
    const keys = (job.data.keys as string[]).filter((key) => key.startsWith(`${job.workspaceId}/`))
    for (const key of keys) await job.runtime.files.delete(key)
    return { removed: keys.length }
  },
}
