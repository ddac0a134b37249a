/** The job that makes the file of an export of contacts. */
import { Forbidden } from '#platform/errors.ts'
import { exportJobOf } from '#platform/exports/job.ts'
import { askerOf } from '#modules/accounts/index.ts'
import { planExport } from './columns.ts'
import { exportJobKind, exportsRoom, requestOfExport, type Export } from './exports.ts'
import type { ExportRow } from './fields.ts'
import { countMatching, matchingOf } from './matching.ts'
import { readContacts } from './reader.ts'
import { writeExport } from './writers.ts'

export const exportJob = exportJobOf<Export, ExportRow>({
  kind: exportJobKind,
  event: 'contact.exported',
  room: exportsRoom,
  open: async (tx, row, job) => {
    if (!(await askerOf(tx, job, 'contact.export'))) {
      throw new Forbidden('forbidden', 'Whoever asked for this export may take out no contacts any more.')
    }
    const request = await requestOfExport(tx, row)
    const matching = await matchingOf(tx, request)
    const plan = await planExport(tx, request, matching)
    return {
      total: await countMatching(tx, matching),
      batches: readContacts(tx, plan, matching),
      write: (batches) => writeExport(request, plan, batches),
    }
  },
})
