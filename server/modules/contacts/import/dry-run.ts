/**
 * What an import would do, without doing it: rows are staged and compared, and nothing is written but the counts and the
 * rows that would fail. Of a person who appears again further down in the file, what would change is an estimate.
 */
import type { Job } from '#platform/jobs/job.ts'
import type { Batch } from './batch.ts'
import { keepFailed } from './errors-file.ts'
import type { Import } from './job.ts'
import type { MergePlan } from './merge/plan.ts'
import { rehearseBatch, type Difference, type Rehearsed } from './merge/rehearsal.ts'
import { createSeen } from './seen.ts'

/** Rows of each outcome that are shown with their differences. */
const examplesMax = 20

export function createDryRun(job: Job, started: Import, plan: MergePlan, tagNames: readonly string[]) {
  const people = createSeen()
  const contents = createSeen()
  const differences: Difference[] = []
  const wanted = { created: examplesMax, changed: examplesMax }
  // An earlier attempt left nothing behind but the rows that failed.
  let state: Import = { ...started, rows: 0, created: 0, updated: 0, merged: 0, skipped: 0, failed: 0 }

  async function save(batch: Batch): Promise<Import> {
    const repeatedSame: string[] = []
    const repeatedOther: string[] = []
    for (const [email, { content }] of batch.people) {
      const isKnown = people.add(email)
      const isSame = contents.add(`${email}\t${content}`)
      if (isKnown) (isSame ? repeatedSame : repeatedOther).push(email)
    }
    return job.transaction(async (tx) => {
      await keepFailed(tx, started.id, batch)
      const would: Rehearsed = batch.text
        ? await rehearseBatch(tx, job.runtime, plan, {
            text: batch.text,
            waves: batch.waves,
            tagNames: tagNames.slice(0, batch.tagCount),
            repeatedSame,
            repeatedOther,
            wanted,
          })
        : { created: 0, changed: 0, untouched: 0, differences: [] }
      differences.push(...would.differences)
      for (const outcome of ['created', 'changed'] as const) {
        const shown = would.differences.filter((each) => each.outcome === outcome)
        wanted[outcome] -= new Set(shown.map(({ line }) => line)).size
      }
      const changed = plan.duplicates === 'merge' ? 'merged' : 'updated'
      state = {
        ...state,
        rows: state.rows + batch.rows,
        created: state.created + would.created,
        [changed]: state[changed] + would.changed,
        skipped: state.skipped + would.untouched + batch.repeated,
        failed: state.failed + batch.failed.length,
        possible_duplicates: batch.possibleDuplicates,
      }
      await job.checkpoint(tx, { done: state.rows })
      return state
    })
  }

  return { save, differences }
}
