/** What the doors of the import answer. */
import { Type } from 'typebox'
import {
  AnyJson,
  Id,
  JobView,
  NullableId,
  NullableText,
  NullableTimestamp,
  OneOf,
  Timestamp,
} from '#platform/http/shapes.ts'
import { encodings } from './formats/encoding.ts'
import { formats } from './formats/inspect.ts'
import type { ImportRow } from './imports.ts'
import { countsOf } from './job.ts'
import { rules } from './policy.ts'
import { dateOrders, decimalMarks } from './readings.ts'
import { scanStates } from './scanning.ts'
import { valueTypes, type ValueType } from './value-types.ts'

export const Preview = Type.Object(
  {
    upload_id: Id,
    file_name: Type.String(),
    size_bytes: Type.Integer(),
    format: OneOf(formats),
    scan: OneOf(scanStates, { description: 'not_scanned: there is no virus scanner; pending: it does not answer' }),
    encoding: OneOf(encodings),
    delimiter: Type.String(),
    has_header: Type.Boolean(),
    sheets: Type.Array(Type.String(), { description: 'Of a workbook' }),
    sheet: NullableText,
    preset: Type.Unsafe<string | null>({
      type: ['string', 'null'],
      description: 'The program that wrote it, such as google, hubspot or mailchimp',
    }),
    columns: Type.Array(
      Type.Object({
        index: Type.Integer(),
        header: Type.String(),
        samples: Type.Array(Type.String()),
        suggested_field: NullableText,
        confidence: Type.Number({ description: '0 to 1' }),
        suggested_type: Type.Unsafe<ValueType | null>({
          type: ['string', 'null'],
          enum: [...valueTypes, null],
          description: 'What the values look like',
        }),
        date_order: OneOf(dateOrders),
        decimal: OneOf(decimalMarks),
        country: NullableText,
        open: Type.Array(OneOf(['date_order', 'decimal']), {
          description: 'What the values leave open: these follow the country of the workspace, and are worth asking',
        }),
      }),
    ),
    rows_previewed: Type.Integer(),
    sample_rows: Type.Array(Type.Array(Type.String())),
  },
  { $id: 'ImportPreview' },
)

export const ImportJobView = Type.Object({ ...JobView.properties, import_id: Id }, { $id: 'ImportJob' })

export const ImportView = Type.Object(
  {
    id: Id,
    status: OneOf(['queued', 'running', 'succeeded', 'failed', 'canceled', 'undone']),
    error: NullableText,
    file_name: Type.String(),
    rows: Type.Integer({ description: 'rows = created + updated + merged + skipped + failed, at any time' }),
    created: Type.Integer(),
    updated: Type.Integer(),
    merged: Type.Integer(),
    skipped: Type.Integer({ description: 'Known already, with nothing to change' }),
    failed: Type.Integer(),
    possible_duplicates: Type.Integer({
      description: 'Rows with the name and number of an earlier row, and another address',
    }),
    undeclared_consents: Type.Integer({ description: 'Rows whose "yes" did not count, for want of `consent`' }),
    bytes_done: Type.Integer(),
    bytes_total: Type.Integer(),
    rate: Type.Unsafe<number | null>({ type: ['number', 'null'], description: 'rows per second' }),
    created_at: Timestamp,
    started_at: NullableTimestamp,
    finished_at: NullableTimestamp,
    undone_at: NullableTimestamp,
    job_id: NullableId,
    undo_job_id: NullableId,
    upload_id: Id,
    dry_run: Type.Boolean(),
    duplicates: OneOf(['skip', 'update', 'merge']),
    policy: Type.Record(Type.String(), OneOf(rules)),
    format: OneOf(formats),
    sheet: NullableText,
    preset: NullableText,
    encoding: OneOf(encodings),
    delimiter: Type.String(),
    has_header: Type.Boolean(),
    mapping: Type.Unsafe<Record<string, string | null>>({
      type: 'object',
      additionalProperties: { type: ['string', 'null'] },
    }),
    list_id: NullableId,
    tags: Type.Array(Type.String()),
    consent: AnyJson,
    created_by_name: Type.String(),
  },
  { $id: 'Import' },
)

export function viewImport(row: ImportRow) {
  const status = row.undone_at ? ('undone' as const) : (row.job_status ?? ('succeeded' as const))
  const seconds = row.started_at ? ((row.finished_at ?? new Date()).getTime() - row.started_at.getTime()) / 1_000 : 0
  return {
    id: row.id,
    status,
    error: row.job_error,
    file_name: row.file_name,
    ...countsOf(row),
    possible_duplicates: row.possible_duplicates,
    undeclared_consents: row.undeclared_consents,
    bytes_done: row.bytes_done,
    bytes_total: row.bytes_total,
    rate: seconds > 0 && (status === 'running' || row.finished_at) ? Math.round(row.rows / seconds) : null,
    created_at: row.created_at,
    started_at: row.started_at,
    finished_at: row.finished_at,
    undone_at: row.undone_at,
    job_id: row.job_id,
    undo_job_id: row.undo_job_id,
    upload_id: row.upload_id,
    dry_run: row.dry_run,
    duplicates: row.duplicates,
    policy: row.policy,
    format: row.format,
    sheet: row.sheet,
    preset: row.preset,
    encoding: row.encoding,
    delimiter: row.delimiter,
    has_header: row.has_header,
    mapping: Object.fromEntries(row.header.map((header, index) => [header, row.targets[index] ?? null])),
    list_id: row.list_id,
    tags: row.tags,
    consent: row.consent,
    created_by_name: row.created_by_name,
  }
}
