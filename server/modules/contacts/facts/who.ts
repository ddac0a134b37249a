/** Who an event speaks of: from the payload to contacts, always by the one resolver. */
import { sql } from 'kysely'
import { systemActor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { Invalid } from '#platform/errors.ts'
import { isId } from '#platform/ids.ts'
import { getWorkspace } from '#modules/accounts/index.ts'
import { phoneKey } from '../contact-fields.ts'
import { resolveContacts, type Person, type ResolveOptions } from '../identity.ts'
import type { People, PersonPart } from './shapes.ts'

/** What an event tells of a person; nothing of it is certain to be there. */
export interface Who {
  contactId?: string | undefined
  userId?: string | undefined
  email?: string | undefined
  firstName?: string | undefined
  lastName?: string | undefined
  fullName?: string | undefined
  phone?: string | undefined
  company?: string | undefined
  language?: string | undefined
}

/** The person of an order, a ticket, a registration: flat, or as an object of its own. The first that tells something counts. */
export function whoOf(data: People): Who {
  const part = { ...data.contact, ...data.user, ...data.customer }
  const flat = fromPart(data)
  const nested = fromPart(part)
  const id = part.id ?? data.customer_id
  const ids =
    id === undefined ? {} : isId(String(id)) ? { contactId: String(id), userId: String(id) } : { userId: String(id) }
  const named: Who = {
    email: data.customer_email ?? data.user_email,
    fullName: data.customer_name,
    phone: data.customer_phone,
  }
  return [flat, nested, named, ids].reduce((known, more) => ({ ...dropUnknown(more), ...known }), {} as Who)
}

export function fromPart(part: PersonPart | People): Who {
  return dropUnknown({
    contactId: asText(part.contact_id),
    userId: asText(part.user_id),
    email: part.email,
    firstName: part.first_name,
    lastName: part.last_name,
    fullName: part.full_name ?? part.name,
    phone: part.phone,
    company: part.company,
    language: part.language ?? part.locale,
  })
}

/** Whether there is anything to find somebody by. */
export function isSomebody({ contactId, userId, email, phone }: Who): boolean {
  return Boolean(contactId ?? userId ?? email ?? phone)
}

/** The ids of the contacts, in the order asked; null for who is not there and has no address to be made with. */
export async function resolveWho(
  tx: Tx,
  whos: Who[],
  options: ResolveOptions & { source: string },
): Promise<(string | null)[]> {
  if (!whos.length) return []
  const { country, language } = await getWorkspace(tx, tx.workspaceId)
  const present = await presentContacts(tx, whos)
  const answers = whos.map(({ contactId }) => (contactId ? (present.get(contactId.toLowerCase()) ?? null) : null))
  const open = whos.flatMap((who, index) => (answers[index] ? [] : [{ who, index }]))
  const people = open.map(({ who }): Person => toPerson(who, country, language, options.source))
  const resolved = await resolveContacts(tx, systemActor(tx.workspaceId), people, options)
  open.forEach(({ index }, number) => (answers[index] = resolved[number]?.contactId ?? null))
  return answers
}

/** Retried for a while: the event that makes the person known may be on its way. */
export function nobodyKnown(event: { event: string }): Invalid {
  return new Invalid(
    'nobody_known',
    `${event.event}: nobody is known by what it tells of the person, and without an email nobody can be made. ` +
      'Send the event again once the person is here, or with an email.',
  )
}

/** By the id that is told: the contact that is there, which may be the survivor of the one that was meant. */
async function presentContacts(tx: Tx, whos: Who[]): Promise<Map<string, string>> {
  const ids = whos.map((who) => who.contactId).filter((id) => id !== undefined && isId(id))
  if (!ids.length) return new Map()
  const { rows } = await sql<{ asked: string; id: string }>`
    select a.id as asked, c.id from contacts.contacts a
    join contacts.contacts c on c.workspace_id = a.workspace_id and c.id = coalesce(a.merged_into, a.id)
    where a.workspace_id = ${tx.workspaceId} and a.id = any(${ids}::uuid[]) and c.deleted_at is null`.execute(tx.sql)
  return new Map(rows.map((row) => [row.asked, row.id]))
}

function toPerson(who: Who, country: string | null, language: string, source: string): Person {
  const phone = who.phone?.trim()
  return {
    email: who.email ?? null,
    user_id: who.userId ?? null,
    ...(who.firstName || who.lastName
      ? { first_name: who.firstName?.trim() ?? '', last_name: who.lastName?.trim() ?? '' }
      : who.fullName
        ? { full_name: who.fullName }
        : {}),
    phone: phone ?? null,
    phone_key: phone ? phoneKey(phone, country) : null,
    company: who.company?.trim() ?? null,
    language: toLanguage(who.language) ?? language,
    source,
  }
}

function toLanguage(told: string | undefined): string | null {
  if (!told) return null
  try {
    return Intl.getCanonicalLocales(told.trim().replaceAll('_', '-'))[0] ?? null
  } catch {
    return null // not worth refusing an order for
  }
}

function asText(key: string | number | undefined): string | undefined {
  return key === undefined ? undefined : String(key)
}

function dropUnknown(who: Who): Who {
  return Object.fromEntries(Object.entries(who).filter(([, value]) => value !== undefined))
}
