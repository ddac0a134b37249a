/** The job that makes the file of an export of contacts. */
import { exportJobOf } from '#platform/exports/job.ts'
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
  open: async (tx, row) => {
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
