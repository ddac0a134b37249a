/** Files that no row names: deleted at once, or, where the storage is away, by a job when it is back. */
import type { JobDefinition } from '../jobs/job.ts'
import type { Runtime } from '../services.ts'
import { FilesUnavailable } from './files.ts'

export interface FileRemoval {
  /** Its data: `{ keys }`. Also for files whose rows go in a transaction, which enqueues it. */
  job: JobDefinition
  discard(services: Pick<Runtime, 'files' | 'db'>, workspaceId: string, keys: readonly string[]): Promise<void>
}

/** A module's own, for its own folders in each workspace's. */
export function fileRemoval(kind: string, folders: readonly string[]): FileRemoval {
  return {
    job: {
      kind,
      // Some eight hours: a bucket may be away.
      retryLimit: 100,
      concurrency: 1,
      async run(job) {
        const isOwn = (key: string) => folders.some((folder) => key.startsWith(`${job.workspaceId}/${folder}/`))
        const keys = (job.data.keys as string[]).filter(isOwn)
        for (const key of keys) await job.runtime.files.delete(key)
        return { removed: keys.length }
      },
    },
    async discard({ files, db }, workspaceId, keys) {
      const left: string[] = []
      for (const key of keys) {
        await files.delete(key).catch((error: unknown) => {
          if (!(error instanceof FilesUnavailable)) throw error
          left.push(key)
        })
      }
      if (left.length) await db.transaction(workspaceId, (tx) => tx.enqueue(kind, { keys: left }))
    },
  }
}
