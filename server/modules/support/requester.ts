/** Whose ticket it is: always a contact, found or made by the one resolver. */
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { Invalid, NotFound } from '#platform/errors.ts'
import { isEmail } from '#platform/http/validation.ts'
import {
  getContact,
  namedContacts,
  resolveContact,
  resolveContacts,
  type NamedContact,
} from '#modules/contacts/index.ts'
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

/** `fallBack`: where the contact is gone, whoever has the address now; for a ticket that follows another. */
export interface AskedRequester extends NamedRequester {
  fallBack?: boolean
}

/** By the id, by the address, or whoever is asking; in the order in which they are named. */
export async function findRequesters(tx: Tx, actor: Actor, asked: readonly AskedRequester[]): Promise<Requester[]> {
  const byId = new Map<AskedRequester, Requester>()
  for (const one of asked) {
    if (!one.contact_id) continue
    const known = await requesterById(tx, one.contact_id, one.contact_name)
    if (known) byId.set(one, known)
    else if (!one.fallBack) throw Invalid.at('/contact_id', 'not_found', 'There is no such contact here.')
  }
  const addressed = asked.filter((one) => !byId.has(one) && one.contact_email)
  const byEmail = await requestersByEmail(tx, actor, addressed)
  const found: Requester[] = []
  for (const one of asked) found.push(byId.get(one) ?? byEmail.get(one) ?? (await whoeverAsks(tx, actor, one)))
  return found
}

async function whoeverAsks(tx: Tx, actor: Actor, named: NamedRequester): Promise<Requester> {
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

async function requestersByEmail(
  tx: Tx,
  actor: Actor,
  asked: readonly AskedRequester[],
): Promise<Map<AskedRequester, Requester>> {
  if (!asked.length) return new Map()
  const people = asked.map(({ contact_email: email, contact_name: name }) => {
    if (!isEmail(email!.trim())) throw Invalid.at('/contact_email', 'format', 'This is not a valid email.')
    return { email: email!, source: 'ticket', ...(actor.kind === 'public' || !name ? {} : { full_name: name }) }
  })
  const resolved = await resolveContacts(tx, actor, people)
  const contacts = await namedContacts(
    tx,
    resolved.map((one) => one!.contactId),
  )
  return new Map(asked.map((one, at) => [one, toRequester(contacts.get(resolved[at]!.contactId)!, one.contact_name)]))
}

function toRequester(contact: NamedContact, name: string | undefined): Requester {
  const fullName = `${contact.first_name} ${contact.last_name}`.trim()
  return {
    contactId: contact.id,
    userId: contact.user_id,
    email: contact.email,
    name: name?.trim() || fullName,
    language: contact.language,
  }
}
