/**
 * Custom fields in rules, by what the workspace says they are. A value without a definition is any JSON: as a text it is
 * itself, or its JSON; as a number, a JSON number or its text; as a day, a text that begins with one.
 */
import { sql } from 'kysely'
import type { CustomField } from '../fields/tables.ts'
import type { Field, Sql, UntypedField } from './field.ts'

export const customPrefix = 'custom_fields.'
const keyLengthMax = 100

export type Definitions = ReadonlyMap<string, CustomField>
export const noDefinitions: Definitions = new Map()

export function customKey(name: string): string | null {
  if (!name.startsWith(customPrefix)) return null
  const key = name.slice(customPrefix.length)
  return key && key.length <= keyLengthMax && key.isWellFormed() && !key.includes('\0') ? key : null
}

export function customField(name: string, definitions: Definitions): Field | undefined {
  const key = customKey(name)
  if (key === null) return undefined
  const definition = definitions.get(key)
  return definition && !definition.deleted_at ? definedField(name, definition) : untypedField(name, key)
}

function definedField(name: string, asked: CustomField): Field {
  const { text, number, boolean, date, choices, ...common } = untypedField(name, asked.key)
  const defined = { asked, label: asked.label }
  const values = asked.choices.map((choice) => choice.value)
  switch (asked.type) {
    case 'text':
    case 'url':
      return { ...text, ...defined }
    case 'number':
      return { ...number, ...defined }
    case 'boolean':
      return { ...boolean, ...defined }
    case 'date':
      return { ...date, ...defined }
    case 'choice':
      return { ...common, type: 'choice', choices: values, isOneOf: () => sql<boolean>`false`, ...defined }
    case 'multi_choice':
      return { ...choices, choices: values, ...defined }
    default:
      return asked.type satisfies never
  }
}

function untypedField(name: string, key: string): UntypedField {
  const json = sql`(c.custom_fields -> ${key}::text)`
  const text = sql<string>`(c.custom_fields ->> ${key}::text)`
  const folded = sql<string>`platform.fold(coalesce(${text}, ''))`
  const number = sql`(case when ${text} ~ '^-?\\d{1,30}(\\.\\d{1,30})?$' then ${text}::numeric end)`
  const common = {
    name,
    group: 'custom',
    shown: json,
    empty: sql<boolean>`coalesce(${text}, '') in ('', '[]')`,
  } as const
  return {
    ...common,
    type: 'untyped',
    text: { ...common, type: 'text', folded, fold: (value: Sql) => sql<string>`platform.fold(${value})` },
    number: { ...common, type: 'number', column: number, cast: 'numeric' },
    boolean: { ...common, type: 'boolean', column: sql<boolean>`(${json} = 'true'::jsonb)` },
    date: { ...common, type: 'date', column: sql<string>`substring(${text} from '^\\d{4}-\\d\\d-\\d\\d')` },
    choices: { ...common, type: 'choices', choices: [], column: json },
  }
}
