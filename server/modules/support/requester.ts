/** Whose ticket it is: always a contact, found or made by the one resolver. */
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { Invalid, NotFound } from '#platform/errors.ts'
import { getContact, resolveContact, resolveContacts } from '#modules/contacts/index.ts'
import { personOf } from './access.ts'

export interface Requester {
  contactId: string
  /** Of the account, where the person has one: it may follow the ticket. */
  userId: string | null
  email: string
  name: string
  language: string
}

export interface NamedRequester {
  contact_id?: string
  contact_email?: string
  contact_name?: string
}

/**
 * By the id, by the address, or whoever is asking. `fallBack`: where the contact is gone, whoever has the address now; for a
 * ticket that follows another.
 */
export async function findRequester(
  tx: Tx,
  actor: Actor,
  named: NamedRequester,
  { fallBack = false } = {},
): Promise<Requester> {
  if (named.contact_id) {
    const byId = await requesterById(tx, named.contact_id, named.contact_name)
    if (byId) return byId
    if (!fallBack) throw Invalid.at('/contact_id', 'not_found', 'There is no such contact here.')
  }
  if (named.contact_email) return requesterByEmail(tx, actor, named.contact_email, named.contact_name)
  const person = personOf(actor)
  if (!person) throw Invalid.at('/contact_email', 'required', 'Say whose ticket this is: contact_id or contact_email.')
  const name = named.contact_name ?? actor.name
  if (actor.email) {
    const { contact } = await resolveContact(tx, actor, {
      email: actor.email,
      user_id: person,
      full_name: name,
      source: 'ticket',
    })
    return { ...toRequester(contact, name), userId: person }
  }
  const [known] = await resolveContacts(tx, actor, [{ user_id: person, source: 'ticket' }], { create: false })
  const requester = known && (await requesterById(tx, known.contactId, name))
  if (!requester) {
    throw Invalid.at('/contact_email', 'required', 'Your account has no e-mail address: give one in contact_email.')
  }
  return { ...requester, userId: person }
}

async function requesterById(tx: Tx, id: string, name: string | undefined): Promise<Requester | null> {
  try {
    return toRequester(await getContact(tx, id), name)
  } catch (error) {
    if (error instanceof NotFound) return null
    throw error
  }
}

async function requesterByEmail(tx: Tx, actor: Actor, email: string, name: string | undefined): Promise<Requester> {
  const given = actor.kind === 'public' || !name ? {} : { full_name: name }
  const person = { email, source: 'ticket', ...given }
  const { contact } = await resolveContact(tx, actor, person)
  return toRequester(contact, name)
}

type Contact = Awaited<ReturnType<typeof resolveContact>>['contact']

function toRequester(contact: Contact, name: string | undefined): Requester {
  const fullName = `${contact.first_name} ${contact.last_name}`.trim()
  return {
    contactId: contact.id,
    userId: contact.user_id,
    email: contact.email,
    name: name?.trim() || fullName,
    language: contact.language,
  }
}
