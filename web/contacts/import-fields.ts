// The fields that a column can fill, and what a mapping needs before it can go on.
import type { ImportColumn, ImportPreview, ImportRequest } from '../api/types.ts'
import type { Options } from './import-options.tsx'

export const importFields = [
  'email',
  'first_name',
  'last_name',
  'full_name',
  'company',
  'job_title',
  'phone',
  'gender',
  'language',
  'timezone',
  'source',
  'notes',
  'tags',
  'newsletter_subscribed',
  'marketing_subscribed',
  'status',
  'created_at',
  'lifetime_value',
  'total_orders',
] as const
export type ImportField = (typeof importFields)[number]

/** Column index → field, `custom:<key>`, or null for a column that is left out. */
export type Mapping = Record<string, string | null>

export function suggestedMapping(preview: ImportPreview): Mapping {
  return Object.fromEntries(preview.columns.map(({ index, suggested_field }) => [String(index), suggested_field]))
}

/** The field name under which an unknown column is kept: letters, digits and underscores. */
export function customField(column: ImportColumn): string {
  const key = (column.header ?? `column_${column.index + 1}`)
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '')
  return `custom:${key || `column_${column.index + 1}`}`
}

export const fillsEmail = (mapping: Mapping): boolean => Object.values(mapping).includes('email')

/** Fields that two columns would fill, of which only one could win. */
export function doubleFields(mapping: Mapping): string[] {
  const fields = Object.values(mapping).filter((field): field is string => field !== null)
  return [...new Set(fields.filter((field, index) => fields.indexOf(field) !== index && field !== 'tags'))]
}

export function requestOf(preview: ImportPreview, mapping: Mapping, options: Options): ImportRequest {
  const declares = options.newsletter || options.marketing
  return {
    upload_id: preview.upload_id,
    mapping,
    encoding: preview.encoding,
    delimiter: preview.delimiter,
    has_header: preview.has_header,
    duplicates: options.duplicates,
    ...(options.listId ? { list_id: options.listId } : {}),
    ...(options.tags.length > 0 ? { tags: options.tags } : {}),
    ...(declares
      ? {
          consent: {
            newsletter: options.newsletter,
            marketing: options.marketing,
            source: options.consentSource,
            wording: options.consentWording,
          },
        }
      : {}),
  }
}
