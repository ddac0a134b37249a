/**
 * What contacts can be put into groups by: fields of the catalogue of rules that have few enough values, and the domain of
 * the address. Each is SQL on the row `c`; no name comes from input.
 */
import { sql, type RawBuilder } from 'kysely'
import type { InputError } from '#platform/errors.ts'
import { customField, customKey, customPrefix, type Definitions } from '../rules/custom.ts'
import type { Field } from '../rules/field.ts'
import { fields, findField } from '../rules/fields.ts'
import type { Group, Unit } from './definition.ts'

type Sql = RawBuilder<unknown>

export interface Dimension {
  field: string
  kind: 'text' | 'flag' | 'time' | 'band'
  /** Of times. */
  by: Unit | null
  /** Of bands. */
  width: number | null
  /** Text, null for those that have nothing. */
  key: Sql
  /** A spelling to show; any one of the group's. */
  label: Sql
  /** Where somebody can be in several groups. */
  join: Sql | null
  /** What values of a custom choice are called. */
  choices: ReadonlyMap<string, string>
  own: string | null
}

/** Of one person each: they would be a list of contacts, and no report. */
const ofOne = new Set(['email', 'full_name', 'phone', 'notes'])
const emailDomain = 'email_domain'

export const dimensionNames = [
  ...[...fields.values()].filter((field) => !ofOne.has(field.name) && kindOf(field)).map(({ name }) => name),
  emailDomain,
]

/** `place` (0 or 1) tells the two groups of a report apart. */
export function readDimension(
  group: Group,
  place: number,
  { definitions, timezone }: { definitions: Definitions; timezone: string },
): { dimension: Dimension } | { error: InputError } {
  const pointer = `/group_by/${place}`
  const field = findReportField(group.field, definitions)
  if (group.field === emailDomain) {
    const domain = sql`nullif(split_part(c.email_key, '@', 2), '')`
    return { dimension: plain(group.field, 'text', domain) }
  }
  if (!field) return { error: unknownField(`${pointer}/field`, group.field, definitions) }
  const kind = ofOne.has(field.name) ? null : kindOf(field)
  if (!kind) {
    const detail = `Contacts cannot be grouped by ${field.name}. GET /contacts/reports/fields lists what they can be grouped by.`
    return { error: { pointer: `${pointer}/field`, code: 'not_groupable', detail } }
  }
  if (group.by && kind !== 'time') {
    return { error: misplaced(`${pointer}/by`, `${field.name} is no time. Leave \`by\` out.`) }
  }
  if (group.width && kind !== 'band') {
    return { error: misplaced(`${pointer}/width`, `${field.name} is no number. Leave \`width\` out.`) }
  }
  const dimension = toDimension(field, group, { place, timezone })
  return {
    dimension: {
      ...dimension,
      own: field.label ?? null,
      choices: new Map(field.asked?.choices.map(({ value, label }) => [value, label])),
    },
  }
}

/** A group that has gone: everybody is in the one of those who have nothing. */
export function goneDimension(field: string): Dimension {
  return plain(field, 'text', sql`null::text`)
}

/** Deleted custom fields are not found. */
export function findReportField(name: string, definitions: Definitions): Field | undefined {
  if (!name.startsWith(customPrefix)) return findField(name)
  const definition = definitions.get(customKey(name) ?? '')
  return definition && !definition.deleted_at ? customField(name, definitions) : undefined
}

export function unknownField(pointer: string, name: string, definitions: Definitions): InputError {
  if (definitions.get(customKey(name) ?? '')?.deleted_at) {
    const detail = `The custom field of ${name} was deleted. Take it out, or restore the field.`
    return { pointer, code: 'field_gone', detail }
  }
  const detail = `There is no field “${name.slice(0, 80)}” for reports. GET /contacts/reports/fields lists them.`
  return { pointer, code: 'unknown_field', detail }
}

export function kindOf(field: Field): Dimension['kind'] | null {
  switch (field.type) {
    case 'text':
    case 'code':
    case 'choice':
    case 'choices':
    case 'tags':
    case 'lists':
      return 'text'
    case 'boolean':
      return 'flag'
    case 'datetime':
    case 'date':
      return 'time'
    case 'number':
      return 'band'
    case 'id':
    case 'presence':
    case 'untyped':
      return null
    default:
      return field satisfies never
  }
}

/** As one text for each contact; of fields that hold several there is none. */
export function scalarKey(field: Field): Sql | null {
  switch (field.type) {
    case 'text':
      return sql`nullif(${field.folded}, '')`
    case 'code':
      return field.column
    case 'choice':
      return choiceText(field)
    case 'boolean':
      return sql`(${field.column})::text`
    default:
      return null
  }
}

function toDimension(field: Field, group: Group, { place, timezone }: { place: number; timezone: string }): Dimension {
  const name = field.name
  switch (field.type) {
    case 'text':
      return { ...plain(name, 'text', scalarKey(field)!), label: shownText(field) }
    case 'datetime': {
      const by = group.by ?? 'month'
      const local = sql`${field.column} at time zone ${timezone}::text`
      return { ...plain(name, 'time', startSql(by, local)), by }
    }
    case 'date': {
      const by = group.by ?? 'month'
      return { ...plain(name, 'time', startSql(by, sql`contacts.iso_date(${field.column})::timestamp`)), by }
    }
    case 'number': {
      const width = group.width ?? 10
      const band = sql`floor((${field.column})::numeric / ${String(width)}::numeric) * ${String(width)}::numeric`
      return { ...plain(name, 'band', sql`trim_scale(${band})::text`), width }
    }
    case 'tags':
      return joined(
        name,
        place,
        sql`
        select t.id::text as key, t.name as label from contacts.contact_tags ct
        join contacts.tags t on t.workspace_id = ct.workspace_id and t.id = ct.tag_id
        where ct.workspace_id = c.workspace_id and ct.contact_id = c.id`,
      )
    case 'lists':
      return joined(
        name,
        place,
        sql`
        select l.id::text as key, l.name as label from contacts.list_members m
        join contacts.lists l on l.workspace_id = m.workspace_id and l.id = m.list_id
        where m.workspace_id = c.workspace_id and m.contact_id = c.id and l.deleted_at is null`,
      )
    case 'choices':
      return joined(
        name,
        place,
        sql`
        select distinct value as key, value as label
        from jsonb_array_elements_text(case when jsonb_typeof(${field.column}) = 'array' then ${field.column} else '[]' end) as value`,
      )
    case 'boolean':
      return plain(name, 'flag', scalarKey(field)!)
    default:
      return plain(name, 'text', scalarKey(field)!)
  }
}

function plain(field: string, kind: Dimension['kind'], key: Sql): Dimension {
  return { field, kind, by: null, width: null, key, label: key, join: null, choices: new Map(), own: null }
}

function joined(field: string, place: number, members: Sql): Dimension {
  const alias = sql.raw(`held_${place}`)
  return {
    ...plain(field, 'text', sql`${alias}.key`),
    label: sql`${alias}.label`,
    join: sql`left join lateral (${members}) as ${alias} on true`,
  }
}

function startSql(unit: Unit, local: Sql): Sql {
  return sql`to_char(date_trunc(${unit}::text, ${local}), 'YYYY-MM-DD')`
}

function shownText(field: Field): Sql {
  return field.group === 'custom' ? sql`btrim(${field.shown} #>> '{}')` : sql`btrim(${field.shown})`
}

function choiceText(field: Field): Sql {
  return field.group === 'custom' ? sql`(${field.shown} #>> '{}')` : field.shown
}

function misplaced(pointer: string, detail: string): InputError {
  return { pointer, code: 'misplaced', detail }
}
