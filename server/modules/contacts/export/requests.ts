/** What can be asked of an export, in the address of a download or in the body of a job. */
import { Type, type Static } from 'typebox'
import { Closed, Id, OneOf } from '#platform/http/shapes.ts'
import { viewedFields } from '../contact-query.ts'
import { ViewedFilterOrRule } from '../given-filter.ts'
import { exportableNames } from './fields.ts'

export const exportFormats = ['csv', 'xlsx', 'json', 'vcard'] as const
export type ExportFormat = (typeof exportFormats)[number]

const fieldsHelp =
  `Any of ${exportableNames.join(', ')}, custom_fields.<key> for one custom field, or * for everything. ` +
  'Without it: first name, last name, e-mail, phone, company, job title, notes, tags, bookings and the last booking ' +
  '(csv, xlsx), or the whole record (json, vcard).'

const options = {
  headers: Type.Optional(OneOf(['labels', 'names'], { description: 'Headers for people (First Name), or first_name' })),
  safe: Type.Optional(
    Type.Boolean({ default: true, description: 'csv: an apostrophe goes before what a spreadsheet would compute' }),
  ),
  reimport: Type.Optional(
    Type.Boolean({ description: 'Exact values under names that the import knows, so that nothing changes by it' }),
  ),
  version: Type.Optional(OneOf(['3', '4'], { description: 'vcard: 4.0 (RFC 6350) unless 3 is wanted' })),
  sort: Type.Optional(Type.String({ maxLength: 50, description: 'As in the list of contacts' })),
}

export const downloadQuery = {
  format: Type.Optional(OneOf(exportFormats, { default: 'csv' })),
  fields: Type.Optional(Type.String({ maxLength: 8_000, description: `${fieldsHelp} Separated by commas.` })),
  ...options,
}

/** All parameters of the list beside those of the export. */
export const ContactDownload = Closed({ ...viewedFields, ...downloadQuery })
export type ContactDownload = Static<typeof ContactDownload>

export const NewExport = Closed({
  format: OneOf(exportFormats),
  fields: Type.Optional(
    Type.Array(Type.String({ minLength: 1, maxLength: 200 }), { maxItems: 500, description: fieldsHelp }),
  ),
  ...options,
  contact_ids: Type.Optional(Type.Array(Id, { minItems: 1, maxItems: 50_000 })),
  filter: Type.Optional(ViewedFilterOrRule),
})
/** What a bulk action says of its export. */
export const exportParams = { format: Type.Optional(OneOf(exportFormats)), fields: NewExport.properties.fields }
export type NewExport = Static<typeof NewExport>

/** All that decides what is in the file. */
export type ExportRequest = NewExport

/** The parameters of a download, taken apart into what the export knows and the filter. */
export function requestOf(query: ContactDownload): ExportRequest {
  const { format, fields, headers, safe, reimport, version, sort, ...filter } = query
  return {
    format: format ?? 'csv',
    ...(fields === undefined ? {} : { fields: splitNames(fields) }),
    ...(headers ? { headers } : {}),
    ...(safe === undefined ? {} : { safe }),
    ...(reimport === undefined ? {} : { reimport }),
    ...(version ? { version } : {}),
    ...(sort === undefined ? {} : { sort }),
    filter,
  }
}

function splitNames(text: string): string[] {
  return text
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean)
}
