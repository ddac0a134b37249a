/** What may be written of a contact, and the rules that a schema alone cannot tell. Pure. */
import { Type, type Static } from 'typebox'
import parsePhoneNumber, { isSupportedCountry, type CountryCode } from 'libphonenumber-js/max'
import { Closed, Email, Id, JsonObject, TextOrNull } from '#platform/http/shapes.ts'
import { Invalid, type InputError } from '#platform/errors.ts'
import { genders } from './contact-view.ts'
import { checkCustomFields, mergeCustomFields, type CustomFieldDefinition } from './fields/values.ts'
import { splitFullName } from './names.ts'

const writable = {
  first_name: Type.Optional(Type.String({ maxLength: 100 })),
  last_name: Type.Optional(Type.String({ maxLength: 100 })),
  full_name: Type.Optional(Type.String({ maxLength: 201, description: 'Instead of the two parts: it is split' })),
  company: Type.Optional(TextOrNull(200)),
  job_title: Type.Optional(TextOrNull(200)),
  phone: Type.Optional(
    TextOrNull(40, 'Kept as typed; without a country code it is read in the country of the workspace'),
  ),
  gender: Type.Optional(
    Type.Unsafe<(typeof genders)[number] | null>({ type: ['string', 'null'], enum: [...genders, null] }),
  ),
  avatar_url: Type.Optional(TextOrNull(2_000)),
  language: Type.Optional(Type.String({ maxLength: 35, description: 'BCP 47, such as fr or pt-BR' })),
  timezone: Type.Optional(TextOrNull(64, 'IANA name, such as Europe/Paris')),
  source: Type.Optional(TextOrNull(100)),
  is_active: Type.Optional(Type.Boolean()),
  newsletter_subscribed: Type.Optional(Type.Boolean({ description: 'Written to the consent ledger' })),
  marketing_subscribed: Type.Optional(Type.Boolean({ description: 'Written to the consent ledger' })),
  custom_fields: Type.Optional(
    Type.Unsafe<Record<string, unknown>>({
      ...JsonObject,
      description:
        'By key. Merged key by key: what is not named stays, null takes a value away. Fields of /contacts/fields are checked; ' +
        'any other key holds any JSON',
    }),
  ),
  notes: Type.Optional(Type.String({ maxLength: 20_000 })),
  tags: Type.Optional(
    Type.Array(Type.String({ minLength: 1, maxLength: 100 }), {
      maxItems: 200,
      description: 'Names; unknown ones are made',
    }),
  ),
  lists: Type.Optional(Type.Array(Id, { maxItems: 200, description: 'Ids of lists' })),
  user_id: Type.Optional(Type.Unsafe<string | null>({ type: ['string', 'null'], format: 'uuid' })),
}

export const NewContact = Closed({ email: Email, ...writable })
export const ContactChange = Closed({ email: Type.Optional(Email), ...writable })
export type NewContact = Static<typeof NewContact>
export type ContactChange = Static<typeof ContactChange>

/** Columns of `contacts.contacts` as they are written. */
export interface ContactColumns {
  email?: string
  first_name?: string
  last_name?: string
  company?: string | null
  job_title?: string | null
  phone?: string | null
  phone_key?: string | null
  gender?: (typeof genders)[number] | null
  avatar_url?: string | null
  language?: string
  timezone?: string | null
  source?: string | null
  is_active?: boolean
  custom_fields?: string
  notes?: string
  user_id?: string | null
}

export const customFieldsBytesMax = 64 * 1_024

/** What the rules depend on besides the input. */
export interface Surroundings {
  country: string | null
  definitions: readonly CustomFieldDefinition[]
  /** Custom fields that the contact has already: they stay unless they are named. */
  before: Record<string, unknown>
}

/** Checks everything at once, so that a form shows all of its errors together; throws `Invalid`. */
export function toColumns(input: ContactChange, { country, ...custom }: Surroundings): ContactColumns {
  const errors: InputError[] = []
  const columns: ContactColumns = {}
  if (input.email !== undefined) columns.email = input.email.trim()
  if (input.full_name !== undefined) Object.assign(columns, splitFullName(input.full_name))
  if (input.first_name !== undefined) columns.first_name = input.first_name.trim()
  if (input.last_name !== undefined) columns.last_name = input.last_name.trim()
  for (const field of ['company', 'job_title', 'source'] as const) {
    if (input[field] !== undefined) columns[field] = input[field]?.trim() || null
  }
  if (input.phone !== undefined) Object.assign(columns, toPhone(input.phone, country, errors))
  if (input.gender !== undefined) columns.gender = input.gender
  if (input.avatar_url !== undefined) columns.avatar_url = toWebAddress(input.avatar_url, errors)
  if (input.language !== undefined) columns.language = toLanguage(input.language, errors)
  if (input.timezone !== undefined) columns.timezone = toTimezone(input.timezone, errors)
  if (input.is_active !== undefined) columns.is_active = input.is_active
  if (input.custom_fields !== undefined) columns.custom_fields = toCustomFields(input.custom_fields, custom, errors)
  if (input.notes !== undefined) columns.notes = input.notes
  if (input.user_id !== undefined) columns.user_id = input.user_id
  if (errors.length) throw new Invalid('invalid', errors.map((error) => error.detail).join(' '), { errors })
  return columns
}

/** The number in E.164 for comparing, or null where it cannot be a telephone number. */
export function phoneKey(phone: string, country: string | null): string | null {
  const region = country && isSupportedCountry(country) ? (country as CountryCode) : undefined
  const parsed = parsePhoneNumber(phone, region ? { defaultCountry: region, extract: false } : { extract: false })
  return parsed?.isPossible() ? parsed.number : null
}

function toPhone(phone: string | null, country: string | null, errors: InputError[]) {
  const text = phone?.trim() || null
  if (!text) return { phone: null, phone_key: null }
  const key = phoneKey(text, country)
  // Where the workspace names no country, a national number cannot be read, but it can still look like one.
  const national = !country && /^[\d\s()./-]+$/.test(text) && /^\d{6,15}$/.test(text.replaceAll(/\D/g, ''))
  if (!key && !national) errors.push({ pointer: '/phone', code: 'format', detail: 'This is not a telephone number.' })
  return { phone: text, phone_key: key }
}

/** Where an uploaded picture is shown; a form that sends the whole record back says it again. */
const ownPicture = /^\/api\/v1\/contacts\/[0-9a-f-]{36}\/avatar\?v=[0-9a-f]{16}$/

/** Of a picture that was uploaded here, whose file goes with it. */
export function isOwnPicture(address: string | null): boolean {
  return address !== null && ownPicture.test(address)
}

function toWebAddress(address: string | null, errors: InputError[]): string | null {
  if (!address) return null
  if (isOwnPicture(address)) return address
  const url = URL.parse(address)
  if (url?.protocol === 'https:' || url?.protocol === 'http:') return url.href
  errors.push({ pointer: '/avatar_url', code: 'format', detail: 'This is not a web address (https://…).' })
  return null
}

function toLanguage(language: string, errors: InputError[]): string {
  try {
    const [canonical] = Intl.getCanonicalLocales(language.trim().replaceAll('_', '-'))
    if (canonical) return canonical
  } catch {
    // reported below
  }
  errors.push({ pointer: '/language', code: 'format', detail: 'Use a language code such as fr or pt-BR.' })
  return 'en'
}

function toTimezone(timezone: string | null, errors: InputError[]): string | null {
  if (!timezone) return null
  if (isTimezone(timezone)) return timezone
  errors.push({ pointer: '/timezone', code: 'format', detail: 'Use a time zone name such as Europe/Paris.' })
  return null
}

/** An offset such as +01:00 knows no summer time, so it is no time zone here. */
export function isTimezone(name: string): boolean {
  if (!/^[A-Za-z][\w+/-]*$/.test(name)) return false
  try {
    return Boolean(new Intl.DateTimeFormat('en', { timeZone: name }))
  } catch {
    return false
  }
}

function toCustomFields(
  fields: Record<string, unknown>,
  { definitions, before }: Omit<Surroundings, 'country'>,
  errors: InputError[],
): string {
  const text = JSON.stringify(mergeCustomFields(before, checkCustomFields(definitions, fields, errors)))
  if (Buffer.byteLength(text) > customFieldsBytesMax) {
    errors.push({ pointer: '/custom_fields', code: 'too_long', detail: 'Custom fields hold at most 64 KB together.' })
  }
  return text
}
