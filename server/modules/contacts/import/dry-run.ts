/**
 * What an import would do, without doing it: rows are staged and compared, and nothing is written but the counts and the
 * rows that would fail. A person who appears twice in the file counts as known the second time.
 */
import type { Job } from '#platform/jobs/job.ts'
import type { Batch } from './batch.ts'
import { keepFailed } from './errors-file.ts'
import type { Import } from './job.ts'
import { countWould, type MergePlan } from './merge.ts'

export function createDryRun(job: Job, started: Import, plan: MergePlan, tagNames: readonly string[]) {
  const seen = new Set<number>()
  // An earlier attempt left nothing behind but the rows that failed.
  let state: Import = { ...started, rows: 0, created: 0, updated: 0, merged: 0, skipped: 0, failed: 0 }

  return async function countBatch(batch: Batch): Promise<Import> {
    const repeats = batch.emailKeys.filter((key) => seen.has(hashOf(key)))
    for (const key of batch.emailKeys) seen.add(hashOf(key))
    return job.transaction(async (tx) => {
      await keepFailed(tx, started.id, batch)
      const would = batch.text
        ? await countWould(tx, job.runtime, plan, {
            text: batch.text,
            waves: batch.waves,
            tagNames: tagNames.slice(0, batch.tagCount),
            repeats,
          })
        : { created: 0, changed: 0, untouched: 0 }
      const changed = plan.duplicates === 'merge' ? 'merged' : 'updated'
      state = {
        ...state,
        rows: state.rows + batch.rows,
        created: state.created + would.created,
        [changed]: state[changed] + would.changed,
        skipped: state.skipped + would.untouched + batch.repeated,
        failed: state.failed + batch.failed.length,
      }
      await job.checkpoint(tx, { done: state.rows })
      return state
    })
  }
}

/** FNV-1a in 52 bits: a million addresses in some ten megabytes, and one mistaken repeat in ten thousand such files. */
function hashOf(text: string): number {
  let low = 0x811c9dc5
  let high = 0x9dc5
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    low = Math.imul(low ^ code, 0x01000193)
    high = Math.imul(high ^ code ^ (low >>> 24), 0x0100019d)
  }
  return (low >>> 0) + (high & 0xfffff) * 0x100000000
}
