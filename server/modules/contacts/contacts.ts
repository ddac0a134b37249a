/** What can be done to a contact record. One person, one row; who they are to us, never what they allow (that is the consent ledger). */
import { sql } from 'kysely'
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import type { Services } from '#platform/services.ts'
import { checkVersion, Conflict, Invalid, NotFound } from '#platform/errors.ts'
import { newId } from '#platform/ids.ts'
import { getWorkspace } from '#modules/accounts/index.ts'
import { recordConsent } from './consent.ts'
import { publishContacts, type ContactFacts } from './contact-events.ts'
import { toColumns, type ContactChange, type ContactColumns, type NewContact } from './contact-fields.ts'
import { listItems, tagNames } from './contact-query.ts'
import type { ContactRow } from './contact-view.ts'
import { orRefuse } from './constraints.ts'
import { recordInteractions } from './interactions.ts'
import { deleteMembers, insertMembers } from './membership.ts'
import { tagContacts, untagContacts } from './tagging.ts'
import { ensureTags } from './tags.ts'
import type { Contact } from './tables.ts'

/** The contact with its tags and lists; a deleted one only when asked for. */
export async function getContact(tx: Tx, id: string, { deletedToo = false } = {}): Promise<ContactRow> {
  const { rows } = await sql<ContactRow>`
    select c.*, ${tagNames}, ${listItems} from contacts.contacts c
    where c.id = ${id} ${deletedToo ? sql`` : sql`and c.deleted_at is null`}`.execute(tx.sql)
  if (!rows[0]) throw new NotFound('contact')
  return rows[0]
}

/** The unique index decides who comes first when two make the same contact at once; the second gets `email_taken`. */
export async function createContact(tx: Tx, actor: Actor, input: NewContact, services: Services): Promise<ContactRow> {
  const workspace = await getWorkspace(tx, tx.workspaceId)
  const columns = toColumns(input, workspace.country)
  if (actor.kind === 'user' && !columns.first_name) {
    throw Invalid.at('/first_name', 'required', 'A contact made by hand needs a first name.')
  }
  const contact = await orRefuse(
    tx.sql
      .insertInto('contacts.contacts')
      .values({
        language: workspace.language,
        source: actor.kind === 'user' ? 'manual' : 'api',
        ...columns,
        email: input.email.trim(),
        workspace_id: tx.workspaceId,
        id: newId(),
      })
      .returningAll()
      .executeTakeFirstOrThrow(),
    emailTaken,
  )
  await publishContacts(tx, 'created', [contact])
  await recordInteractions(tx, [{ contactId: contact.id, type: 'contact_created', actor }])
  await writeRelations(tx, actor, contact, input, services)
  return getContact(tx, contact.id)
}

/** PUT and PATCH: what the input names is replaced, all else stays. Naming what is already so changes nothing. */
export async function updateContact(
  tx: Tx,
  actor: Actor,
  id: string,
  input: ContactChange,
  { services, ifVersion }: { services: Services; ifVersion: number | undefined },
): Promise<ContactRow> {
  const contact = await lockContact(tx, id)
  checkVersion(contact.version, ifVersion)
  const workspace = await getWorkspace(tx, tx.workspaceId)
  const columns = changedColumns(contact, toColumns(input, workspace.country))
  if (actor.kind === 'user' && columns.first_name === '') {
    throw Invalid.at('/first_name', 'required', 'A contact needs a first name.')
  }
  const fields = Object.keys(columns).filter((name) => name !== 'phone_key')
  const related = await writeRelations(tx, actor, contact, input, services)
  if (!fields.length && !related.length) return getContact(tx, id)
  // Tags and lists are part of what the record's version counts, hence an update that writes a column as it is.
  const set = fields.length ? columns : { notes: contact.notes }
  await orRefuse(tx.sql.updateTable('contacts.contacts').set(set).where('id', '=', id).execute(), emailTaken)
  const changed = [...fields, ...related]
  const updated = await getContact(tx, id)
  await publishContacts(tx, 'updated', [updated], { changed })
  if (fields.length) {
    await recordInteractions(tx, [{ contactId: id, type: 'contact_updated', metadata: { changed: fields }, actor }])
  }
  return updated
}

/** Soft: the row waits for `restoreContacts`, and its e-mail is free for another. Answers those that were there. */
export async function deleteContacts(tx: Tx, actor: Actor, ids: string[]): Promise<ContactFacts[]> {
  const deleted = await tx.sql
    .updateTable('contacts.contacts')
    .set({ deleted_at: tx.now })
    .where('id', 'in', lockedInOrder(tx, ids))
    .where('deleted_at', 'is', null)
    .returning(['id', 'email', 'first_name', 'last_name'])
    .execute()
  await publishContacts(tx, 'deleted', deleted)
  await recordInteractions(
    tx,
    deleted.map(({ id }) => ({ contactId: id, type: 'contact_deleted' as const, actor })),
  )
  return deleted
}

export async function deleteContact(tx: Tx, actor: Actor, id: string, ifVersion: number | undefined): Promise<void> {
  const contact = await lockContact(tx, id)
  checkVersion(contact.version, ifVersion)
  await deleteContacts(tx, actor, [id])
}

/** Restoring a contact that is there changes nothing; one whose e-mail somebody else has meanwhile stays deleted. */
export async function restoreContact(tx: Tx, actor: Actor, id: string): Promise<ContactRow> {
  const contact = await lockContact(tx, id, { deletedToo: true })
  if (contact.deleted_at) {
    const restore = tx.sql.updateTable('contacts.contacts').set({ deleted_at: null }).where('id', '=', id)
    await orRefuse(restore.execute(), emailTaken)
    await announceRestored(tx, actor, [contact])
  }
  return getContact(tx, id)
}

/** Those whose address is free; answers them. Of two deleted contacts with one address the newest comes back. */
export async function restoreContacts(tx: Tx, actor: Actor, ids: string[]): Promise<ContactFacts[]> {
  const { rows } = await sql<ContactFacts>`
    update contacts.contacts c set deleted_at = null
    where c.deleted_at is not null and c.id in (
      select distinct on (d.email_key) d.id from contacts.contacts d
      where d.id = any(${ids}::uuid[]) and d.deleted_at is not null
        and not exists (select from contacts.contacts live
          where live.workspace_id = d.workspace_id and live.email_key = d.email_key and live.deleted_at is null)
      order by d.email_key, d.deleted_at desc, d.id)
    returning c.id, c.email, c.first_name, c.last_name`.execute(tx.sql)
  await announceRestored(tx, actor, rows)
  return rows
}

export async function lockContact(tx: Tx, id: string, { deletedToo = false } = {}): Promise<Contact> {
  const row = await tx.sql
    .selectFrom('contacts.contacts')
    .selectAll()
    .where('id', '=', id)
    .forNoKeyUpdate()
    .executeTakeFirst()
  if (!row || (row.deleted_at && !deletedToo)) throw new NotFound('contact')
  return row
}

/** Rows are locked by id, so that two overlapping sets never wait for each other crosswise. */
function lockedInOrder(tx: Tx, ids: string[]) {
  return tx.sql
    .selectFrom('contacts.contacts')
    .select('id')
    .where('id', '=', sql<string>`any(${ids}::uuid[])`)
    .orderBy('id')
    .forNoKeyUpdate()
}

async function announceRestored(tx: Tx, actor: Actor, contacts: ContactFacts[]): Promise<void> {
  await publishContacts(tx, 'updated', contacts, { changed: ['deleted_at'] })
  await recordInteractions(
    tx,
    contacts.map(({ id }) => ({ contactId: id, type: 'contact_restored' as const, actor })),
  )
}

/** Tags, lists and consent live in tables of their own. Answers the names of the fields that changed. */
async function writeRelations(
  tx: Tx,
  actor: Actor,
  contact: Contact,
  input: ContactChange,
  services: Services,
): Promise<string[]> {
  const changed: string[] = []
  if (input.tags && (await replaceTags(tx, actor, contact.id, input.tags))) changed.push('tags')
  if (input.lists && (await replaceLists(tx, actor, contact.id, input.lists))) changed.push('lists')
  for (const purpose of ['newsletter', 'marketing'] as const) {
    const wanted = input[`${purpose}_subscribed`]
    if (wanted === undefined || wanted === contact[`${purpose}_subscribed`]) continue
    const decision = wanted ? ('granted' as const) : ('withdrawn' as const)
    const source = actor.kind === 'user' ? 'person' : 'api'
    await recordConsent(tx, services, [{ contactId: contact.id, purpose, decision, source, actor }])
    changed.push(`${purpose}_subscribed`)
  }
  return changed
}

async function replaceTags(tx: Tx, actor: Actor, contactId: string, names: string[]): Promise<boolean> {
  const wanted = (await ensureTags(tx, actor, names)).map((tag) => tag.id)
  const { rows } = await sql<{ tag_id: string }>`
    select tag_id from contacts.contact_tags
    where contact_id = ${contactId} and not tag_id = any(${wanted}::uuid[])`.execute(tx.sql)
  const removed = await untagContacts(
    tx,
    actor,
    rows.map((row) => row.tag_id),
    [contactId],
  )
  const added = await tagContacts(tx, actor, wanted, [contactId])
  return removed.length + added.length > 0
}

async function replaceLists(tx: Tx, actor: Actor, contactId: string, listIds: string[]): Promise<boolean> {
  const { rows } = await sql<{ id: string; member: boolean }>`
    select l.id, exists (select from contacts.list_members m where m.list_id = l.id and m.contact_id = ${contactId}) as member
    from contacts.lists l where l.deleted_at is null and (
      l.id = any(${listIds}::uuid[])
      or exists (select from contacts.list_members m where m.list_id = l.id and m.contact_id = ${contactId}))`.execute(
    tx.sql,
  )
  const known = new Set(rows.map((row) => row.id))
  const unknown = listIds.findIndex((id) => !known.has(id.toLowerCase()))
  if (unknown >= 0) throw Invalid.at(`/lists/${unknown}`, 'not_found', 'There is no such list here.')
  const wanted = new Set(listIds.map((id) => id.toLowerCase()))
  const surplus = rows.filter((row) => row.member && !wanted.has(row.id)).map((row) => row.id)
  const removed = await deleteMembers(tx, actor, surplus, [contactId])
  const added = await insertMembers(tx, actor, [...wanted], [contactId])
  return removed.length + added.length > 0
}

/** Only what is really different: writing a column as it was would count as a new version. */
function changedColumns(contact: Contact, columns: ContactColumns): ContactColumns {
  const different = Object.entries(columns).filter(([name, value]) =>
    name === 'custom_fields'
      ? value !== JSON.stringify(contact.custom_fields)
      : value !== contact[name as Exclude<keyof ContactColumns, 'custom_fields'>],
  )
  return Object.fromEntries(different)
}

const emailTaken = {
  contacts_email: () =>
    new Conflict('email_taken', 'Another contact has this e-mail address.', {
      errors: [{ pointer: '/email', code: 'email_taken', detail: 'Another contact has this e-mail address.' }],
    }),
}
