/** Fields that mean more than their column: names, addresses, numbers. */
import { sql } from 'kysely'
import { text } from './columns.ts'
import type { TextField } from './field.ts'

/** As the indexes of names have them, with the spaces of whatever part is missing. */
const wholeName = sql<string>`platform.fold(c.first_name || ' ' || c.last_name)`

export const fullName = text('person', 'full_name', {
  folded: sql<string>`btrim(${wholeName})`,
  fold: (value) => sql<string>`btrim(platform.fold(${value}))`,
  shown: sql`btrim(c.first_name || ' ' || c.last_name)`,
  searched: true,
  isOneOf: (values) => sql<boolean>`${wholeName} = any(array(
    select spelling from unnest(${values}::text[]) as name,
      lateral (values (platform.fold(btrim(name))), (platform.fold(btrim(name) || ' ')), (platform.fold(' ' || btrim(name)))) as s(spelling)))`,
})

/** Addresses differ by their accents, unlike names. */
export const email = text('person', 'email', {
  searched: true,
  empty: null,
  isOneOf: (values) =>
    values.length === 1
      ? sql<boolean>`c.email_key = lower(${values[0]})`
      : sql<boolean>`c.email_key = any(array(select lower(value) from unnest(${values}::text[]) as value))`,
})

const separators = /[\s()./-]+/g

/** Numbers without what people set between the digits; one in E.164 is looked up by the key. */
export const phone: TextField = text('person', 'phone', {
  folded: sql<string>`regexp_replace(coalesce(c.phone, ''), '[[:space:]()./-]+', '', 'g')`,
  fold: (value) => sql<string>`regexp_replace(${value}, '[[:space:]()./-]+', '', 'g')`,
  isOneOf: (values) => {
    const plain = values.map((value) => value.replaceAll(separators, ''))
    const keys = plain.filter((value) => value.startsWith('+'))
    const others = plain.filter((value) => !value.startsWith('+'))
    const found = [
      ...(keys.length ? [sql<boolean>`(c.phone_key is not null and c.phone_key = any(${keys}::text[]))`] : []),
      ...(others.length ? [sql<boolean>`${phone.folded} = any(${others}::text[])`] : []),
    ]
    return sql<boolean>`(${sql.join(found, sql` or `)})`
  },
})

/** As languages are stored. */
export function canonicalLanguage(value: string): string {
  try {
    return Intl.getCanonicalLocales(value.trim().replaceAll('_', '-'))[0] ?? value
  } catch {
    return value
  }
}
