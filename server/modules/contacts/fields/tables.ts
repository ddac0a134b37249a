/** Row types of custom fields. */
import type { ColumnType, Generated, Selectable } from 'kysely'
import type { GeneratedTime, NullableText, NullableTime } from '#platform/db/tables.ts'

export const fieldTypes = ['text', 'number', 'date', 'boolean', 'choice', 'multi_choice', 'url'] as const
export type FieldType = (typeof fieldTypes)[number]

export interface Choice {
  /** What is stored. */
  value: string
  label: string
  color: string | null
}

export interface CustomFieldTable {
  workspace_id: string
  id: string
  key: string
  label: string
  type: FieldType
  description: Generated<string>
  choices: ColumnType<Choice[], string | undefined, string>
  required: Generated<boolean>
  filterable: Generated<boolean>
  position: number
  minimum: NullableText
  maximum: NullableText
  max_length: ColumnType<number | null, number | null | undefined, number | null>
  job_id: NullableText
  indexed_at: NullableTime
  version: Generated<number>
  created_at: GeneratedTime
  updated_at: GeneratedTime
  deleted_at: NullableTime
}

export type CustomField = Selectable<CustomFieldTable>

declare module '#platform/db/tables.ts' {
  interface Tables {
    'contacts.custom_fields': CustomFieldTable
    /** Copies of the values of filterable fields, kept by a trigger; `custom_value_rows` is what to read. */
    'contacts.custom_values': CustomValueTable
    'contacts.custom_value_rows': CustomValueTable
  }
}

interface CustomValueTable {
  workspace_id: string
  contact_id: string
  field_id: string
  item: number
  text_key: string | null
  number_value: string | null
  date_value: string | null
}
