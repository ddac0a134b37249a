/** The failed rows of an import as CSV: the columns as they came, and what is wrong with each, ready to mend and send again. */
import { Readable } from 'node:stream'
import { sql } from 'kysely'
import type { Tx } from '#platform/db/db.ts'
import { byteOrderMark, csvLine } from '#platform/tables-out/csv.ts'
import type { Batch } from './batch.ts'
import type { Import } from './job.ts'

interface Failed {
  line: number
  error_column: string | null
  code: string
  detail: string
  cells: string[]
}

const pageSize = 1_000

/** Streamed page by page, so that a million failed rows cost no more memory than a thousand. */
export function errorsFile(inTx: <T>(run: (tx: Tx) => Promise<T>) => Promise<T>, row: Import): Readable {
  async function* lines(): AsyncGenerator<string> {
    yield byteOrderMark + csvLine([...row.header, '_line', '_error_column', '_error_code', '_error'])
    let after = 0
    for (;;) {
      const failed = await inTx((tx) => readFailed(tx, row.id, after))
      if (!failed.length) return
      yield failed.map((each) => csvLine(toCells(each, row.header.length))).join('')
      after = failed.at(-1)!.line
    }
  }
  return Readable.from(lines(), { objectMode: false })
}

async function readFailed(tx: Tx, importId: string, after: number): Promise<Failed[]> {
  const { rows } = await sql<Failed>`
    select line, error_column, code, detail, cells from contacts.import_errors
    where workspace_id = ${tx.workspaceId} and import_id = ${importId} and line > ${after}
    order by line limit ${pageSize}`.execute(tx.sql)
  return rows
}

/** Cells that have no column of their own stay in the last one, so that nothing of the line is lost. */
function toCells(failed: Failed, width: number): string[] {
  const own = Array.from({ length: width }, (_, index) => failed.cells[index] ?? '')
  if (failed.cells.length > width && width > 0) own[width - 1] = failed.cells.slice(width - 1).join(',')
  return [...own, String(failed.line), failed.error_column ?? '', failed.code, failed.detail]
}

export async function keepFailed(tx: Tx, importId: string, batch: Batch): Promise<void> {
  if (!batch.failed.length) return
  await sql`
    insert into contacts.import_errors (workspace_id, import_id, line, error_column, code, detail, cells)
    select ${tx.workspaceId}::uuid, ${importId}::uuid, line, "column", code, detail, array(select jsonb_array_elements_text(cells))
    from jsonb_to_recordset(${JSON.stringify(batch.failed).replaceAll('\\u0000', '\\ufffd')}::jsonb)
      as failed(line bigint, "column" text, code text, detail text, cells jsonb)
    on conflict do nothing`.execute(tx.sql)
}
