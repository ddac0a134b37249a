/** Makers of fields that are a column each, by type. Names come from the catalogue, never from input. */
import { sql } from 'kysely'
import type {
  BooleanField,
  ChoiceField,
  CodeField,
  Field,
  IdField,
  NumberField,
  Sql,
  TextField,
  TimeField,
} from './field.ts'

type Group = Field['group']

const folding = (value: Sql): Sql<string> => sql<string>`platform.fold(${value})`
export const c = (name: string): Sql<never> => sql.ref<never>(`c.${name}`)

export function text(group: Group, name: string, more: Partial<TextField> = {}): TextField {
  const plain = sql<string>`coalesce(${c(name)}, '')`
  const folded = more.folded ?? sql<string>`platform.fold(${plain})`
  return {
    type: 'text',
    name,
    group,
    shown: c(name),
    empty: more.folded ? sql<boolean>`${folded} = ''` : sql<boolean>`${plain} = ''`,
    ...(more.folded || more.searched ? {} : { present: sql<boolean>`${plain} <> ''` }),
    fold: folding,
    ...more,
    folded,
  }
}

export function number(group: Group, name: string, cast: NumberField['cast'] = 'int'): NumberField {
  return { type: 'number', name, group, column: c(name), shown: c(name), empty: null, cast }
}

export function boolean(group: Group, name: string): BooleanField {
  return { type: 'boolean', name, group, column: c(name), shown: c(name), empty: null }
}

export function time(group: Group, name: string, { always = false, indexed = false } = {}): TimeField {
  return {
    type: 'datetime',
    name,
    group,
    column: c(name),
    shown: c(name),
    empty: always ? null : sql<boolean>`${c(name)} is null`,
    ...(indexed ? { indexed: sql<Date>`coalesce(${c(name)}, '-infinity'::timestamptz)` } : {}),
  }
}

export function code(name: string, canonical: (value: string) => string, nullable: boolean): CodeField {
  const empty = nullable ? sql<boolean>`${c(name)} is null` : null
  return { type: 'code', name, group: 'person', column: c(name), shown: c(name), empty, canonical }
}

export function choice(group: Group, name: string, choices: readonly string[], nullable = false): ChoiceField {
  return {
    type: 'choice',
    name,
    group,
    choices,
    shown: c(name),
    empty: nullable ? sql<boolean>`${c(name)} is null` : null,
    isOneOf: (values) => (values.length === 1 ? sql`${c(name)} = ${values[0]}` : sql`${c(name)} = any(${values})`),
  }
}

export function id(name: string, nullable: boolean): IdField {
  const empty = nullable ? sql<boolean>`${c(name)} is null` : null
  return { type: 'id', name, group: 'record', column: c(name), shown: c(name), empty }
}
