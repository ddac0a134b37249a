/** Reads what comes in for an import: a file with form fields, or JSON about a file that came before. */
import type { FastifyRequest } from 'fastify'
import { Type, type Static, type TSchema } from 'typebox'
import { Invalid } from '#platform/errors.ts'
import { Closed, Id, OneOf, Text } from '#platform/http/shapes.ts'
import { createValidators } from '#platform/http/validation.ts'
import type { Runtime, Services } from '#platform/services.ts'
import { discardFiles } from '../stored-files.ts'
import { newFieldTypes } from './custom.ts'
import { encodings } from './formats/encoding.ts'
import { PolicyShape } from './policy.ts'
import { dateOrders, decimalMarks } from './readings.ts'
import { storeUpload, type StoredUpload } from './uploads.ts'
import { tagLengthMax } from './values.ts'

const layout = {
  encoding: Type.Optional(OneOf(encodings)),
  delimiter: Type.Optional(Type.String({ minLength: 1, maxLength: 1, pattern: '^[^"\\r\\n]$' })),
  has_header: Type.Optional(Type.Boolean()),
  sheet: Type.Optional(Text(100, { minLength: 1, description: 'Of a workbook; without it, the first that has rows' })),
}

const country = Type.String({ pattern: '^[A-Z]{2}$', description: 'ISO 3166, such as FR' })
const reading = {
  date_order: Type.Optional(OneOf(dateOrders)),
  decimal: Type.Optional(OneOf(decimalMarks)),
  country: Type.Optional(country),
}

const NewField = Closed({ new_field: Closed({ label: Text(100, { minLength: 1 }), type: OneOf(newFieldTypes) }) })
const Wanted = Type.Union([Type.String({ maxLength: 80 }), Type.Null(), NewField])

const options = {
  mapping: Type.Optional(
    Type.Record(Type.String({ maxLength: 300 }), Wanted, {
      description:
        'Column (its header, or its number from 0) → field, `custom_fields.<key>`, `{"new_field": {"label", "type"}}`, or null to leave it out',
    }),
  ),
  duplicates: Type.Optional(OneOf(['skip', 'update', 'merge'])),
  policy: Type.Optional(PolicyShape),
  ...reading,
  columns: Type.Optional(
    Type.Record(Type.String({ maxLength: 300 }), Closed(reading), {
      description: 'How single columns are to be read, where that differs from what was found',
    }),
  ),
  list_id: Type.Optional(Id),
  tags: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: tagLengthMax }), { maxItems: 50 })),
  consent: Type.Optional(
    Closed({
      newsletter: Type.Optional(Type.Boolean()),
      marketing: Type.Optional(Type.Boolean()),
      source: Text(200, { minLength: 1 }),
      wording: Text(5_000, { minLength: 1 }),
    }),
  ),
  dry_run: Type.Optional(Type.Boolean()),
}

export const ImportRequest = Closed({ upload_id: Type.Optional(Id), ...layout, ...options })
export type ImportRequest = Static<typeof ImportRequest>

const validators = createValidators()
const validate = validators(ImportRequest, 'body')

/** A file is stored as it streams in; the fields beside it are read as the same request that JSON makes. */
export async function readRequest(
  request: FastifyRequest,
  services: Runtime,
  workspaceId: string,
): Promise<{ upload: StoredUpload | null; body: ImportRequest }> {
  if (!request.isMultipart()) return { upload: null, body: checked(request.body) }
  let upload: StoredUpload | null = null
  const fields: Record<string, unknown> = {}
  try {
    for await (const part of request.parts()) {
      if (part.type === 'field') fields[part.fieldname] = fromText(part.fieldname, String(part.value))
      else if (part.fieldname !== 'file' || upload) part.file.resume()
      else {
        upload = await storeUpload(services, workspaceId, { name: part.filename, content: part.file })
        if (part.file.truncated) throw tooLarge(services)
      }
    }
    return { upload, body: checked(fields) }
  } catch (error) {
    if (upload) await discardFiles(services, workspaceId, [upload.fileKey])
    throw error
  }
}

function tooLarge(services: Services): Error {
  return Object.assign(new Error(`larger than ${services.config.limits.uploadSizeBytesMax}`), {
    code: 'FST_REQ_FILE_TOO_LARGE',
  })
}

/** Form fields are text: objects and lists come as JSON, a list of tags also with commas. */
function fromText(name: string, text: string): unknown {
  const shape = (ImportRequest.properties as Record<string, TSchema & { type?: string }>)[name]
  if (shape?.type === 'boolean')
    return text === 'true' || text === '1' ? true : text === 'false' || text === '0' ? false : text
  if (name === 'tags' && !text.trim().startsWith('['))
    return text
      .split(',')
      .map((tag) => tag.trim())
      .filter(Boolean)
  if (shape?.type !== 'object' && shape?.type !== 'array') return text
  try {
    return JSON.parse(text)
  } catch {
    throw Invalid.at(`/${name}`, 'json', `The field ${name} must be JSON.`)
  }
}

function checked(body: unknown): ImportRequest {
  if (validate(body ?? {})) return (body ?? {}) as ImportRequest
  throw Object.assign(new Error('invalid'), { validation: validate.errors, validationContext: 'body' })
}
