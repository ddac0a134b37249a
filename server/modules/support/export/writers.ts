/** The tickets of an export as the bytes of its file. */
import { Readable } from 'node:stream'
import type { Tx } from '#platform/db/db.ts'
import { writeCsv } from '#platform/tables-out/csv.ts'
import type { Cell } from '#platform/tables-out/table.ts'
import { writeXlsx } from '#platform/tables-out/xlsx.ts'
import type { ExportedTicket, ExportPlan } from './columns.ts'
import { readMessages, type SaidMessage } from './reader.ts'
import type { ExportRequest } from './requests.ts'

type Batches = AsyncIterable<ExportedTicket[]>

/** Reads as fast as somebody takes the bytes, and stops when they stop. */
export function writeTickets(tx: Tx, request: ExportRequest, plan: ExportPlan, batches: Batches): Readable {
  switch (request.format) {
    case 'csv':
      return bytes(writeCsv(plan.columns, cellsOf(plan, batches), { safe: request.safe !== false }))
    case 'xlsx':
      return writeXlsx(plan.columns, cellsOf(plan, batches), { sheetName: 'Tickets' })
    case 'json':
      return bytes(writeJson(tx, plan, batches))
    default:
      return request.format satisfies never
  }
}

function bytes(text: AsyncGenerator<string>): Readable {
  return Readable.from(text, { objectMode: false })
}

async function* cellsOf(plan: ExportPlan, batches: Batches): AsyncGenerator<Cell[][]> {
  for await (const tickets of batches) yield tickets.map(plan.toCells)
}

async function* writeJson(tx: Tx, plan: ExportPlan, batches: Batches): AsyncGenerator<string> {
  let before = '[\n'
  for await (const tickets of batches) {
    const next = plan.withMessages ? readMessages(tx, tickets) : null
    for (const ticket of tickets) {
      yield before
      yield* writeTicket(ticket, plan, next)
      before = ',\n'
    }
  }
  yield before === '[\n' ? '[]\n' : '\n]\n'
}

/** A long conversation piece by piece. */
async function* writeTicket(
  ticket: ExportedTicket,
  { names }: ExportPlan,
  next: ((ticketId: string) => Promise<SaidMessage[]>) | null,
): AsyncGenerator<string> {
  const record = JSON.stringify(Object.fromEntries(names.map((name) => [name, ticket[name]])))
  if (!next) {
    yield record
    return
  }
  yield `${record.slice(0, -1)}${names.length ? ',' : ''}"messages":[`
  let before = ''
  for (let said = await next(ticket.id); said.length; said = await next(ticket.id)) {
    yield before + said.map(({ ticket_id: _ticket, ...message }) => JSON.stringify(message)).join(',')
    before = ','
  }
  yield ']}'
}
