/**
 * The job that makes the file of an export of tickets, with the eyes of whoever asked as they are when it runs: what they see
 * by then is in it, and whoever works at the help desk no more gets nothing.
 */
import { Forbidden } from '#platform/errors.ts'
import { exportJobOf } from '#platform/exports/job.ts'
import { askerOf } from '#modules/accounts/index.ts'
import { isOfTheHouse } from '../access.ts'
import { planExport, type ExportedTicket } from './columns.ts'
import { exportJobKind, exportsRoom, requestOfExport } from './exports.ts'
import { countMeant, fromMeant, readTickets } from './reader.ts'
import type { TicketExport } from './tables.ts'
import { writeTickets } from './writers.ts'

export const exportJob = exportJobOf<TicketExport, ExportedTicket>({
  kind: exportJobKind,
  event: 'ticket.exported',
  room: exportsRoom,
  open: async (tx, row, job) => {
    const actor = await askerOf(tx, job, 'ticket.export')
    if (!actor || !isOfTheHouse(actor)) {
      throw new Forbidden('forbidden', 'Whoever asked for this export may take out no tickets any more.')
    }
    const request = await requestOfExport(tx, row)
    const plan = planExport(request)
    const from = await fromMeant(tx, actor, request)
    return {
      total: await countMeant(tx, from),
      batches: readTickets(tx, plan, from, request.sort),
      write: (batches) => writeTickets(tx, request, plan, batches),
    }
  },
})
