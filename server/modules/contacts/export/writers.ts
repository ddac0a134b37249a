/** The contacts of an export as the bytes of its file. */
import { Readable } from 'node:stream'
import { writeCsv } from '#platform/tables-out/csv.ts'
import type { Cell } from '#platform/tables-out/table.ts'
import { writeXlsx } from '#platform/tables-out/xlsx.ts'
import type { ExportPlan } from './columns.ts'
import type { ExportRow } from './fields.ts'
import type { ExportRequest } from './requests.ts'
import { toVCard } from './vcard.ts'

type RowBatches = AsyncIterable<ExportRow[]>

/** Reads as fast as somebody takes the bytes, and stops when they stop. */
export function writeExport(request: ExportRequest, plan: ExportPlan, batches: RowBatches): Readable {
  switch (request.format) {
    case 'csv':
      return bytes(writeCsv(plan.columns, cellsOf(plan, batches), { safe: !plan.exact && request.safe !== false }))
    case 'xlsx':
      return writeXlsx(plan.columns, cellsOf(plan, batches), { sheetName: 'Contacts' })
    case 'json':
      return bytes(writeJson(plan, batches))
    case 'vcard':
      return bytes(writeVCards(request, plan, batches))
    default:
      return request.format satisfies never
  }
}

function bytes(text: AsyncGenerator<string>): Readable {
  return Readable.from(text, { objectMode: false })
}

async function* cellsOf(plan: ExportPlan, batches: RowBatches): AsyncGenerator<Cell[][]> {
  for await (const rows of batches) yield rows.map(plan.toCells)
}

async function* writeJson({ fields }: ExportPlan, batches: RowBatches): AsyncGenerator<string> {
  let before = '[\n'
  for await (const rows of batches) {
    yield before + rows.map((row) => JSON.stringify(toObject(row, fields))).join(',\n')
    before = ',\n'
  }
  yield before === '[\n' ? '[]\n' : '\n]\n'
}

function toObject(row: ExportRow, fields: ExportPlan['fields']): Record<string, unknown> {
  return Object.fromEntries(fields.map((field) => [field.name, field.value(row)]))
}

async function* writeVCards(request: ExportRequest, plan: ExportPlan, batches: RowBatches): AsyncGenerator<string> {
  for await (const rows of batches) {
    yield rows.map((row) => toVCard(row, plan.fields, request.version ?? '4')).join('')
  }
}
