/** From a request to an import: columns to fields, how each is read, and what is refused before anything begins. */
import { getWorkspace } from '#modules/accounts/index.ts'
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { Invalid, type InputError } from '#platform/errors.ts'
import { resolveNewFields } from './custom.ts'
import { fields, isFieldName, type Target } from './fields.ts'
import { beginImport, type ImportRow } from './imports.ts'
import { indexOfColumn, pointerTo, requireEmail, resolveMapping } from './mapping.ts'
import { resolvePolicy } from './policy.ts'
import { judgeColumn, phoneCountryOf, type Judged, type Reading } from './readings.ts'
import type { ImportRequest } from './requests.ts'
import type { Look, Upload } from './uploads.ts'

export async function planImport(
  tx: Tx,
  actor: Actor,
  upload: Upload,
  look: Look,
  body: ImportRequest,
): Promise<ImportRow> {
  const { country } = await getWorkspace(tx, tx.workspaceId)
  const { mapping, newFields } = await resolveNewFields(tx, actor, body.mapping)
  const targets = mapping ? resolveMapping(mapping, look.header) : look.suggestions.map(({ target }) => target)
  requireEmail(targets)
  const duplicates = body.duplicates ?? 'skip'
  const judged = judgeColumns(look, body, country, targets)
  return beginImport(tx, actor, upload, look, {
    targets,
    newFields,
    readings: Object.fromEntries(judged.flatMap(({ reading }, index) => (targets[index] ? [[index, reading]] : []))),
    duplicates,
    policy: resolvePolicy(body.policy, duplicates, targets),
    listId: body.list_id ?? null,
    tags: [...new Set((body.tags ?? []).map((tag) => tag.trim()).filter(Boolean))],
    consent: body.consent ?? null,
    dryRun: body.dry_run ?? false,
  })
}

/** By column. What is said of a column goes before what is said of the file, and that before what is found. */
function judgeColumns(look: Look, body: ImportRequest, country: string | null, targets: readonly Target[]): Judged[] {
  const told = toldOf(body, look.header)
  const general = definedOf({ date_order: body.date_order, decimal: body.decimal, country: body.country })
  return look.header.map((_, index) => {
    const samples = look.samples[index] ?? []
    const target = targets[index]
    const isPhone = target && isFieldName(target) && fields[target].kind === 'phone'
    const own = told[index]?.country ?? body.country
    const found = own ?? (isPhone ? phoneCountryOf(samples, country) : country)
    return judgeColumn(samples, found, { ...general, ...told[index] })
  })
}

function toldOf(body: ImportRequest, header: string[]): Record<number, Partial<Reading>> {
  const errors: InputError[] = []
  const told: Record<number, Partial<Reading>> = {}
  for (const [column, reading] of Object.entries(body.columns ?? {})) {
    const index = indexOfColumn(column, header)
    if (index >= 0) told[index] = definedOf(reading)
    else
      errors.push({
        pointer: pointerTo(column, 'columns'),
        code: 'unknown_column',
        detail: 'The file has no such column.',
      })
  }
  if (errors.length) throw new Invalid('invalid', 'The file has no such column.', { errors })
  return told
}

function definedOf(reading: { [Name in keyof Reading]?: Reading[Name] | undefined }): Partial<Reading> {
  return Object.fromEntries(Object.entries(reading).filter(([, value]) => value !== undefined))
}

const shownSamples = 5
const shownRows = 20

export async function previewOf(tx: Tx, upload: Upload, look: Look, body: ImportRequest) {
  const { country } = await getWorkspace(tx, tx.workspaceId)
  const targets = look.suggestions.map(({ target }) => target)
  const judged = judgeColumns(look, body, country, targets)
  return {
    upload_id: upload.id,
    file_name: upload.file_name,
    size_bytes: upload.size_bytes,
    format: upload.format,
    scan: upload.scan,
    encoding: look.layout.encoding,
    delimiter: look.layout.delimiter,
    has_header: look.layout.has_header,
    sheets: look.sheets,
    sheet: look.layout.sheet,
    preset: look.preset,
    columns: look.header.map((header, index) => ({
      index,
      header,
      samples: (look.samples[index] ?? []).slice(0, shownSamples),
      suggested_field: look.suggestions[index]?.target ?? null,
      confidence: look.suggestions[index]?.confidence ?? 0,
      suggested_type: look.suggestions[index]?.type ?? null,
      ...judged[index]!.reading,
      open: judged[index]!.open,
    })),
    rows_previewed: Math.min(look.rows.length, shownRows),
    sample_rows: look.rows.slice(0, shownRows),
  }
}
