/** What may be written of a customer, and how it is said of a contact. Pure. */
import { Type, type Static } from 'typebox'
import { Invalid } from '#platform/errors.ts'
import { Closed, Email, Id, TextOrNull } from '#platform/http/shapes.ts'
import type { ContactChange, NewContact } from '../contact-fields.ts'
import type { Gender } from '../tables.ts'

/** Document 4 is Romanian, and so are the words of some of its callers. */
const genderWords: Record<string, Gender> = {
  male: 'male',
  female: 'female',
  other: 'other',
  masculin: 'male',
  feminin: 'female',
  altul: 'other',
}

export const GenderWord = Type.Unsafe<string | null>({
  type: ['string', 'null'],
  enum: [...Object.keys(genderWords), null],
  description: 'male, female or other; masculin, feminin and altul are read as well',
})

const FullName = Type.String({
  minLength: 1,
  maxLength: 201,
  pattern: '\\S',
  description: 'Split into first and last name; "Berg, Anna" is read too',
})

const optional = {
  phone: Type.Optional(TextOrNull(40, 'Without a country code it is read in the country of the workspace')),
  gender: Type.Optional(GenderWord),
  avatar_url: Type.Optional(TextOrNull(2_000, 'A picture elsewhere; POST /customers/{id}/avatar keeps one here')),
  user_id: Type.Optional(Type.Unsafe<string | null>({ type: ['string', 'null'], format: 'uuid' })),
  business_id: Type.Optional(Type.String({ format: 'uuid', description: 'This workspace, and no other' })),
}

export const NewCustomer = Closed({ full_name: FullName, email: Email, ...optional })
export const CustomerChange = Closed({
  full_name: Type.Optional(FullName),
  email: Type.Optional(Email),
  ...optional,
})
export type NewCustomer = Static<typeof NewCustomer>
export type CustomerChange = Static<typeof CustomerChange>

/** The one business that a caller can name is the workspace that they are in. */
export function requireOwnBusiness(
  businessId: string | undefined,
  workspaceId: string,
  pointer = '/business_id',
): void {
  if (businessId === undefined || businessId.toLowerCase() === workspaceId) return
  throw Invalid.at(pointer, 'not_found', 'There is no such business here: leave it out, or name your own workspace.')
}

export function toNewContact(input: NewCustomer, workspaceId: string): NewContact {
  return { ...toContactChange(input, workspaceId), email: input.email }
}

export function toContactChange(input: CustomerChange, workspaceId: string): ContactChange {
  requireOwnBusiness(input.business_id, workspaceId)
  const { business_id: _, gender, ...same } = input
  return { ...same, ...(gender === undefined ? {} : { gender: readGender(gender) }) }
}

export function readGender(word: string | null): Gender | null {
  return word === null ? null : (genderWords[word] ?? null)
}

export const CustomerPath = Closed({ id: Id })
