/**
 * One resolver for everything that knows a person: forms, bookings, orders, tickets, registrations. It finds the contact
 * or makes it; a hundred at once make one. A deleted contact does not come back by this: the person is new to us again.
 *
 * The address comes first, in any case of letters; dots and plus signs stay, because they can be other mailboxes. Then
 * the user's id. A telephone counts only for who asks for it, only where a single contact has it, and never against the name.
 */
import { sql } from 'kysely'
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { Invalid } from '#platform/errors.ts'
import { isId, newId } from '#platform/ids.ts'
import { isEmail } from '#platform/http/validation.ts'
import { publishContacts, type ContactFacts } from './contact-events.ts'
import { fillable, lookUp, type Known, type Match, type Wanted } from './identity-search.ts'
import { recordInteractions } from './interactions.ts'
import { compareNames } from './name-likeness.ts'
import { splitFullName } from './names.ts'
import type { Contact } from './tables.ts'

export interface Person {
  /** Whoever has none can be found, and not made. */
  email?: string | null
  /** In the world of the sender: a UUID is the contact's `user_id`, any other is kept beside it. */
  user_id?: string | null
  first_name?: string
  last_name?: string
  full_name?: string
  company?: string | null
  phone?: string | null
  /** E.164. */
  phone_key?: string | null
  language?: string
  source: string
}

export interface Resolved {
  contact: Contact
  created: boolean
}

export interface ResolvedPerson {
  contactId: string
  email: string
  created: boolean
}

export interface ResolveOptions {
  /** Only for senders that are trusted: whoever types a stranger's number into a public form is not that stranger. */
  byPhone?: boolean
  /** False: who is not there stays unknown. */
  create?: boolean
}

export async function resolveContact(tx: Tx, actor: Actor, person: Person): Promise<Resolved> {
  if (!isEmail(person.email?.trim() ?? '')) throw Invalid.at('/email', 'format', 'This is not a valid email.')
  const [resolved] = await resolveContacts(tx, actor, [person])
  const { contactId, created } = resolved!
  const contact = await tx.sql
    .selectFrom('contacts.contacts')
    .selectAll()
    .where('id', '=', contactId)
    .executeTakeFirstOrThrow()
  return { contact, created }
}

/** What others need to speak to a contact. */
export type NamedContact = Pick<Contact, 'id' | 'user_id' | 'email' | 'first_name' | 'last_name' | 'language'>

export async function namedContacts(tx: Tx, ids: readonly string[]): Promise<Map<string, NamedContact>> {
  const rows = await tx.sql
    .selectFrom('contacts.contacts')
    .select(['id', 'user_id', 'email', 'first_name', 'last_name', 'language'])
    .where('workspace_id', '=', tx.workspaceId)
    .where('id', 'in', [...new Set(ids)])
    .execute()
  return new Map(rows.map((row) => [row.id, row]))
}

/**
 * Any number of people in a few statements, answered in their order; null for who is not there and cannot be made. An insert
 * waits for another transaction that is making the same contact, and then finds theirs. What is known already is not
 * overwritten, only what is empty is filled.
 */
export async function resolveContacts(
  tx: Tx,
  actor: Actor,
  people: Person[],
  { byPhone = false, create = true }: ResolveOptions = {},
): Promise<(ResolvedPerson | null)[]> {
  const wanted = people.map((person, number) => toWanted(person, number, byPhone))
  await takeTurns(tx, wanted)
  const answers = people.map((): ResolvedPerson | null => null)
  const gaps: Gap[] = []
  let open = wanted
  for (let round = 1; open.length; round++) {
    const found = await lookUp(tx, open)
    for (const one of open) {
      const match = choose(one, found.get(one.number) ?? [])
      if (!match) continue
      answers[one.number] = { contactId: match.id, email: match.email, created: false }
      gaps.push(...gapsOf(one, match))
    }
    open = create ? open.filter((one) => !answers[one.number] && one.email) : []
    const made = await insertNew(tx, actor, firstOfEach(open, round))
    for (const [number, answer] of made) answers[number] = answer
    open = open.filter((one) => !made.has(one.number))
  }
  await fillGaps(tx, actor, gaps)
  await keepOutsideIds(tx, wanted, answers)
  return answers
}

function toWanted(person: Person, number: number, byPhone: boolean): Wanted {
  const email = person.email?.trim() || null
  if (email && !isEmail(email)) throw Invalid.at(`/${number}/email`, 'format', 'This is not a valid email.')
  const split = person.full_name ? splitFullName(person.full_name) : {}
  const userId = person.user_id && isId(person.user_id) ? person.user_id.toLowerCase() : (person.user_id ?? null)
  const given = [...fillable, 'language' as const].flatMap((field) =>
    person[field] && (field !== 'user_id' || isId(person[field])) ? [[field, person[field]]] : [],
  )
  return {
    number,
    email,
    userId,
    phoneKey: (byPhone && person.phone_key) || null,
    known: { ...split, ...(Object.fromEntries(given) as Known) },
    source: person.source,
  }
}

/**
 * Nothing in the tables keeps two contacts from one telephone or user, so whoever may make one takes turns with others that
 * name the same. A few locks for a batch of any size; in order, so that nobody waits crosswise.
 */
async function takeTurns(tx: Tx, wanted: Wanted[]): Promise<void> {
  const keys = wanted.flatMap(({ userId, phoneKey }) => [userId, phoneKey].filter((key) => key !== null))
  if (!keys.length) return
  await sql`
    select pg_advisory_xact_lock(7276776, bucket) from (
      select distinct hashtext(${tx.workspaceId}::text || key) & 127 as bucket from unnest(${keys}::text[]) as key
      order by bucket) as turns`.execute(tx.sql)
}

/** Beside an address that we do not know, a telephone decides only with the same name; without any address, unless the name speaks against it. */
function choose(wanted: Wanted, matches: Match[]): (Match & { mayLink: boolean }) | undefined {
  const userTaken = matches.some((match) => match.found_by === 'user_id')
  const sure =
    matches.find((match) => match.found_by === 'email') ??
    matches.find((match) => match.found_by === 'address') ??
    matches.find((match) => match.found_by === 'user_id')
  if (sure) return { ...sure, mayLink: !userTaken }
  const [byPhone, other] = matches
  if (!byPhone || other || (byPhone.user_id && wanted.userId)) return undefined
  const likeness = compareNames(nameOf(wanted.known), byPhone)
  const agrees = likeness === 'same' || (likeness === 'unknown' && !wanted.email)
  return agrees ? { ...byPhone, mayLink: true } : undefined
}

/** One person may be told of several times in a batch: the first is made, and the others find that one in the next round. */
function firstOfEach(open: Wanted[], round: number): Wanted[] {
  const seen = new Map<string, Wanted>()
  return open.filter((one) => {
    const phone = seen.get(`phone ${one.phoneKey}`)
    // Many under one number (a hotel's, a shop's own) must not take a round each.
    const samePhone = phone && round < 4 && compareNames(nameOf(one.known), nameOf(phone.known)) === 'same'
    const isFirst = !seen.has(`email ${one.email!.toLowerCase()}`) && !seen.has(`user ${one.userId}`) && !samePhone
    seen.set(`email ${one.email!.toLowerCase()}`, one)
    if (one.userId) seen.set(`user ${one.userId}`, one)
    if (one.phoneKey) seen.set(`phone ${one.phoneKey}`, one)
    return isFirst
  })
}

/** Those whom somebody else is making meanwhile are not among the answers: they are found in the next round. */
async function insertNew(tx: Tx, actor: Actor, people: Wanted[]): Promise<Map<number, ResolvedPerson>> {
  if (!people.length) return new Map()
  const rows = people.map(({ number, email, known, source }) => ({ ...known, id: newId(), number, email, source }))
  const { rows: made } = await sql<ContactFacts>`
    insert into contacts.contacts (workspace_id, id, email, first_name, last_name, company, phone, phone_key, user_id,
      language, source)
    select ${tx.workspaceId}::uuid, id, email, coalesce(first_name, ''), coalesce(last_name, ''), company, phone, phone_key,
      user_id, coalesce(language, 'en'), source
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as p(id uuid, email text, first_name text, last_name text,
      company text, phone text, phone_key text, user_id uuid, language text, source text)
    order by lower(email)
    on conflict (workspace_id, email_key) where deleted_at is null do nothing
    returning id, email, first_name, last_name, company, source`.execute(tx.sql)
  await publishContacts(tx, 'created', made)
  await recordInteractions(
    tx,
    made.map(({ id, source }) => ({ contactId: id, type: 'contact_created' as const, metadata: { source }, actor })),
    { areNew: true },
  )
  const byId = new Map(made.map((contact) => [contact.id, contact]))
  return new Map(
    rows.flatMap(({ id, number }) => {
      const contact = byId.get(id)
      return contact ? [[number, { contactId: id, email: contact.email, created: true }] as const] : []
    }),
  )
}

interface Gap {
  id: string
  field: (typeof fillable)[number]
  value: string
}

function gapsOf({ known }: Wanted, match: Match & { mayLink: boolean }): Gap[] {
  // A first name that is known stands alone: half of another spelling would not fit it.
  const nameKnown = match.first_name !== '' || match.last_name !== ''
  return fillable.flatMap((field) => {
    const value = known[field]
    if (!value || match[field]) return []
    if (nameKnown && (field === 'first_name' || field === 'last_name')) return []
    if (field === 'phone_key' && match.phone) return []
    return field === 'user_id' && !match.mayLink ? [] : [{ id: match.id, field, value }]
  })
}

/** Who is told of twice gets the first of two values. */
async function fillGaps(tx: Tx, actor: Actor, gaps: Gap[]): Promise<void> {
  if (!gaps.length) return
  const rows = [...Map.groupBy(gaps, (gap) => gap.id)].map(([id, own]) => ({
    id,
    ...Object.fromEntries(own.toReversed().map(({ field, value }) => [field, value])),
  }))
  const { rows: filled } = await sql<ContactFacts & { changed: string[] }>`
    with known as (
      select * from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
        as k(id uuid, first_name text, last_name text, company text, phone text, phone_key text, user_id uuid)
    ), held as materialized (
      select c.* from contacts.contacts c join known k using (id) where c.workspace_id = ${tx.workspaceId}
      order by c.id for no key update of c
    ), new as (
      select h.id, h.first_name = '' and h.last_name = '' and (k.first_name is not null or k.last_name is not null) as name,
        h.company is null and k.company is not null as company, h.phone is null and k.phone is not null as phone,
        h.user_id is null and k.user_id is not null as user_id
      from held h join known k using (id)
    )
    update contacts.contacts c
    set first_name = case when n.name then coalesce(k.first_name, '') else c.first_name end,
      last_name = case when n.name then coalesce(k.last_name, '') else c.last_name end,
      company = coalesce(c.company, k.company),
      phone = coalesce(c.phone, k.phone), phone_key = case when n.phone then k.phone_key else c.phone_key end,
      user_id = coalesce(c.user_id, k.user_id)
    from known k join new n using (id)
    where c.workspace_id = ${tx.workspaceId} and c.id = k.id and (n.name or n.company or n.phone or n.user_id)
    returning c.id, c.email, c.first_name, c.last_name, c.company, c.source, array_remove(array[
      case when n.name and k.first_name <> '' then 'first_name' end, case when n.name and k.last_name <> '' then 'last_name' end,
      case when n.company then 'company' end, case when n.phone then 'phone' end, case when n.user_id then 'user_id' end
    ], null) as changed`.execute(tx.sql)
  for (const contacts of Map.groupBy(filled, (contact) => contact.changed.join()).values()) {
    const [{ changed }] = contacts as [(typeof filled)[number]]
    await publishContacts(tx, 'updated', contacts, { changed })
  }
  await recordInteractions(
    tx,
    filled.map(({ id, changed }) => ({
      contactId: id,
      type: 'contact_updated' as const,
      metadata: { changed },
      actor,
    })),
  )
}

/** The first contact that a foreign id is told with keeps it, as long as that contact is there. */
async function keepOutsideIds(tx: Tx, wanted: Wanted[], answers: (ResolvedPerson | null)[]): Promise<void> {
  const rows = wanted.flatMap(({ number, userId }) => {
    const contactId = answers[number]?.contactId
    return userId && !isId(userId) && contactId ? [{ user_key: userId, contact_id: contactId }] : []
  })
  if (!rows.length) return
  await sql`
    insert into contacts.outside_users as u (workspace_id, user_key, contact_id)
    select distinct on (user_key) ${tx.workspaceId}::uuid, user_key, contact_id
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as r(user_key text, contact_id uuid)
    order by user_key, contact_id
    on conflict (workspace_id, user_key) do update set contact_id = excluded.contact_id
    where u.contact_id <> excluded.contact_id and exists (
      select from contacts.contacts c where c.workspace_id = u.workspace_id and c.id = u.contact_id and c.deleted_at is not null
    )`.execute(tx.sql)
}

function nameOf({ first_name = '', last_name = '' }: Known) {
  return { first_name, last_name }
}
