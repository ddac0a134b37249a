/** Takes a person's words out of JSON that is about more than the person. Pure. */
import { isId } from '../ids.ts'
import type { Person } from './personal-data.ts'

/** Texts by which the person is recognised wherever they stand, in small letters; short ones would hit others. */
export function tracesOf(person: Person): string[] {
  const texts = [...person.emails, ...person.phones.filter((phone) => phone.length >= 6)]
  return [...new Set(texts.map((text) => text.trim().toLowerCase()).filter(Boolean))]
}

/** For finding candidates by `like any`: as the database writes JSON, with the signs of patterns taken literally. */
export function patternsOf(texts: string[]): string[] {
  return texts.map(
    (text) =>
      `%${JSON.stringify(text)
        .slice(1, -1)
        .replaceAll(/[\\%_]/g, '\\$&')}%`,
  )
}

export function mentions(value: unknown, texts: string[]): boolean {
  const written = JSON.stringify(value ?? null).toLowerCase()
  return texts.some((text) => written.includes(JSON.stringify(text).slice(1, -1)))
}

/**
 * For what is about the person and nobody else: no word stays, whoever's it is. Numbers, flags, times and ids of things stay,
 * so that whoever still has to handle it finds the shape that it expects.
 */
export function withoutWords(value: unknown, person: Person): unknown {
  return mapTexts(value, (text) => {
    if (isId(text)) return person.userIds.includes(text.toLowerCase()) ? '' : text
    return /^\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)$/.test(text) ? text : ''
  })
}

/** For what is about others too: only texts that mention the person go. */
export function withoutMentions(value: unknown, texts: string[]): unknown {
  return mapTexts(value, (text) => (mentions(text, texts) ? '[erased]' : text))
}

function mapTexts(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === 'string') return change(value)
  if (Array.isArray(value)) return value.map((each) => mapTexts(each, change))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [change(key) === '[erased]' ? '[erased]' : key, mapTexts(each, change)]),
  )
}
