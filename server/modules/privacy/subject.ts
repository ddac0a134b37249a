/** Who a request is about: said in one of three ways, found by whichever module knows people by it. */
import { Type } from 'typebox'
import type { Tx } from '#platform/db/db.ts'
import { Invalid } from '#platform/errors.ts'
import { Email } from '#platform/http/shapes.ts'
import { nobody, type Asked, type Person } from '#platform/privacy/personal-data.ts'
import type { Services } from '#platform/services.ts'

/** Document 4's body is `user_id` and `business_id`; the other two are for people whom no other service knows. */
export const subjectFields = {
  user_id: Type.Optional(Type.String({ format: 'uuid', description: 'The person as other services know them' })),
  business_id: Type.Optional(Type.String({ format: 'uuid', description: 'This workspace, and no other' })),
  contact_id: Type.Optional(Type.String({ format: 'uuid' })),
  email: Type.Optional(Email),
}

export interface SubjectBody {
  user_id?: string
  business_id?: string
  contact_id?: string
  email?: string
}

export function readAsked(body: SubjectBody, workspaceId: string): Asked {
  if (body.business_id !== undefined && body.business_id.toLowerCase() !== workspaceId) {
    throw Invalid.at(
      '/business_id',
      'not_found',
      'There is no such business here: leave it out, or name your workspace.',
    )
  }
  const ways: Asked[] = []
  if (body.user_id !== undefined) ways.push({ user_id: body.user_id.toLowerCase() })
  if (body.contact_id !== undefined) ways.push({ contact_id: body.contact_id.toLowerCase() })
  if (body.email !== undefined) ways.push({ email: body.email.trim().toLowerCase() })
  const [asked] = ways
  if (!asked) throw Invalid.at('/user_id', 'required', 'Say who is meant: by user_id, contact_id or email.')
  if (ways.length > 1) {
    throw Invalid.at('/user_id', 'ambiguous', 'Say who is meant in one way: by user_id, contact_id or email.')
  }
  return asked
}

export async function findPerson(tx: Tx, services: Services, asked: Asked): Promise<Person | null> {
  for (const { data } of services.personalData) {
    const found = await data.find?.(tx, asked)
    if (found) return found
  }
  return null
}

/** An address can stand in files, events and old mails although no contact has it. */
export function strangerOf(asked: Asked): Person | null {
  return 'email' in asked ? { ...nobody(), emails: [asked.email] } : null
}

type Keys = Pick<Services, 'tokens'>

/** Pseudonyms: the same for the same person in this workspace, and told to nobody who has the database alone. */
export function hashesOf(services: Keys, workspaceId: string, person: Person): string[] {
  return [
    ...person.contactIds.map((contact_id) => hashOf(services, workspaceId, { contact_id })),
    ...person.userIds.map((user_id) => hashOf(services, workspaceId, { user_id })),
    ...person.emails.map((email) => hashOf(services, workspaceId, { email })),
  ]
}

export function hashOf(services: Keys, workspaceId: string, asked: Asked): string {
  const [[way, value]] = Object.entries(asked) as [[string, string]]
  return services.tokens.fingerprint('privacy.subject', `${workspaceId} ${way} ${value}`).toString('hex').slice(0, 40)
}
