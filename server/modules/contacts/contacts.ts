/** What can be done to a contact record. One person, one row; who they are to us, never what they allow (that is the consent ledger). */
import { isDeepStrictEqual } from 'node:util'
import { sql } from 'kysely'
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import type { Services } from '#platform/services.ts'
import { checkVersion, Conflict, Invalid, NotFound } from '#platform/errors.ts'
import { newId } from '#platform/ids.ts'
import { getWorkspace } from '#modules/accounts/index.ts'
import { forgetAvatar } from './avatar-files.ts'
import { recordConsent, requireAccepted, type ConsentEntry, type ConsentOutcome } from './consent.ts'
import { publishContacts } from './contact-events.ts'
import { toColumns, type ContactChange, type ContactColumns, type NewContact } from './contact-fields.ts'
import { listItems, tagNames } from './contact-query.ts'
import { customFieldDefinitions } from './fields/fields.ts'
import { missingFields } from './fields/values.ts'
import type { ContactRow } from './contact-view.ts'
import { orRefuse } from '#platform/db/constraints.ts'
import { recordInteractions } from './interactions.ts'
import { Merged } from './merging/survivors.ts'
import { asOperation } from './operations/record.ts'
import { deleteMembers, insertMembers } from './membership.ts'
import { tagContacts, untagContacts } from './tagging.ts'
import { ensureTags } from './tags.ts'
import type { Contact } from './tables.ts'

/** The contact with its tags and lists; a deleted one only when asked for. */
export async function getContact(tx: Tx, id: string, { deletedToo = false } = {}): Promise<ContactRow> {
  const { rows } = await sql<ContactRow>`
    select c.*, ${tagNames}, ${listItems} from contacts.contacts c
    where c.id = ${id}`.execute(tx.sql)
  return requireThere(rows[0], deletedToo)
}

/** The unique index decides who comes first when two make the same contact at once; the second gets `email_taken`. */
export async function createContact(tx: Tx, actor: Actor, input: NewContact, services: Services): Promise<ContactRow> {
  const workspace = await getWorkspace(tx, tx.workspaceId)
  const definitions = await customFieldDefinitions(tx)
  const columns = toColumns(input, { country: workspace.country, definitions, before: {} })
  if (actor.kind === 'user' && !columns.first_name) {
    throw Invalid.at('/first_name', 'required', 'A contact made by hand needs a first name.')
  }
  const missing = actor.kind === 'user' ? missingFields(definitions, input.custom_fields ?? {}) : []
  if (missing.length) throw new Invalid('invalid', missing.map(({ detail }) => detail).join(' '), { errors: missing })
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
  await writeRelations(tx, actor, contact, input)
  await writeSubscriptions(tx, actor, contact, input, services)
  return getContact(tx, contact.id)
}

/**
 * PUT and PATCH: what the input names is replaced, all else stays; of custom fields, key by key (docs/decisions/0019).
 * Naming what is already so changes nothing.
 */
export function updateContact(
  tx: Tx,
  actor: Actor,
  id: string,
  input: ContactChange,
  context: ChangeContext,
): Promise<ContactRow> {
  return asOperation(tx, actor, { kind: 'edit', action: 'edit' }, () => changeContact(tx, actor, id, input, context))
}

interface ChangeContext {
  services: Services
  ifVersion: number | undefined
}

async function changeContact(
  tx: Tx,
  actor: Actor,
  id: string,
  input: ContactChange,
  { services, ifVersion }: ChangeContext,
): Promise<ContactRow> {
  const contact = await lockContact(tx, id)
  checkVersion(contact.version, ifVersion)
  const workspace = await getWorkspace(tx, tx.workspaceId)
  const definitions = input.custom_fields ? await customFieldDefinitions(tx) : []
  const surroundings = { country: workspace.country, definitions, before: contact.custom_fields }
  const columns = changedColumns(contact, toColumns(input, surroundings))
  if (actor.kind === 'user' && columns.first_name === '') {
    throw Invalid.at('/first_name', 'required', 'A contact needs a first name.')
  }
  // One that was made without it, by an import, may be changed; taking it away by hand may not be.
  const named = definitions.filter(({ key }) => Object.hasOwn(input.custom_fields ?? {}, key))
  const missing = actor.kind === 'user' ? missingFields(named, input.custom_fields ?? {}) : []
  if (missing.length) throw new Invalid('invalid', missing.map(({ detail }) => detail).join(' '), { errors: missing })
  const fields = Object.keys(columns).filter((name) => name !== 'phone_key')
  const related = await writeRelations(tx, actor, contact, input)
  const subscriptions = await writeSubscriptions(tx, actor, contact, input, services)
  requireAccepted(subscriptions)
  related.push(...subscriptions.recorded.map(({ purpose }) => `${purpose}_subscribed`))
  if (!fields.length && !related.length) return getContact(tx, id)
  // Tags and lists are part of what the record's version counts, hence an update that writes a column as it is.
  const set = fields.length ? columns : { notes: contact.notes }
  await orRefuse(tx.sql.updateTable('contacts.contacts').set(set).where('id', '=', id).execute(), emailTaken)
  // A picture of ours that the address no longer names is nobody's any more.
  if (columns.avatar_url !== undefined) await forgetAvatar(tx, id)
  const changed = [...fields, ...related]
  const updated = await getContact(tx, id)
  await publishContacts(tx, 'updated', [updated], { changed })
  if (fields.length) {
    await recordInteractions(tx, [{ contactId: id, type: 'contact_updated', metadata: { changed: fields }, actor }])
  }
  return updated
}

export async function lockContact(tx: Tx, id: string, { deletedToo = false } = {}): Promise<Contact> {
  const row = await tx.sql
    .selectFrom('contacts.contacts')
    .selectAll()
    .where('id', '=', id)
    .forNoKeyUpdate()
    .executeTakeFirst()
  return requireThere(row, deletedToo)
}

/** One that was merged says where its person is now. */
function requireThere<Row extends Contact>(row: Row | undefined, deletedToo: boolean): Row {
  if (row?.merged_into && !deletedToo) throw new Merged(row.merged_into)
  if (!row || (row.deleted_at && !deletedToo)) throw new NotFound('contact')
  return row
}

/** Tags and lists live in tables of their own. Answers the names of the fields that changed. */
async function writeRelations(tx: Tx, actor: Actor, contact: Contact, input: ContactChange): Promise<string[]> {
  const changed: string[] = []
  if (input.tags && (await replaceTags(tx, actor, contact.id, input.tags))) changed.push('tags')
  if (input.lists && (await replaceLists(tx, actor, contact.id, input.lists))) changed.push('lists')
  return changed
}

/** The subscription flags are what the consent ledger makes of them; a "no" of the person's own hand may stand against a yes. */
async function writeSubscriptions(
  tx: Tx,
  actor: Actor,
  contact: Contact,
  input: ContactChange,
  services: Services,
): Promise<ConsentOutcome> {
  const source = actor.kind === 'user' ? 'person' : 'api'
  const entries = (['newsletter', 'marketing'] as const).flatMap((purpose): ConsentEntry[] => {
    const wanted = input[`${purpose}_subscribed`]
    if (wanted === undefined || wanted === contact[`${purpose}_subscribed`]) return []
    return [{ contactId: contact.id, purpose, decision: wanted ? 'granted' : 'withdrawn', source, actor }]
  })
  return recordConsent(tx, services, entries)
}

async function replaceTags(tx: Tx, actor: Actor, contactId: string, names: string[]): Promise<boolean> {
  const wanted = (await ensureTags(tx, actor, names)).map((tag) => tag.id)
  const { rows } = await sql<{ tag_id: string }>`
    select tag_id from contacts.contact_tags
    where contact_id = ${contactId} and not tag_id = any(${wanted}::uuid[])`.execute(tx.sql)
  const surplus = rows.map((row) => row.tag_id)
  // All of them at once, because their counters change: two people who swap two tags must not wait crosswise.
  await lockInOrder(tx, 'contacts.tags', [...surplus, ...wanted])
  const removed = await untagContacts(tx, actor, surplus, [contactId])
  const added = await tagContacts(tx, actor, wanted, [contactId])
  return removed.length + added.length > 0
}

async function replaceLists(tx: Tx, actor: Actor, contactId: string, listIds: string[]): Promise<boolean> {
  const { rows } = await sql<{ id: string; is_static: boolean; member: boolean }>`
    select l.id, l.type = 'static' as is_static, exists (select from contacts.list_members m where m.list_id = l.id and m.contact_id = ${contactId}) as member
    from contacts.lists l where l.deleted_at is null and (
      l.id = any(${listIds}::uuid[])
      or exists (select from contacts.list_members m where m.list_id = l.id and m.contact_id = ${contactId}))`.execute(
    tx.sql,
  )
  const known = new Set(rows.map((row) => row.id))
  const unknown = listIds.findIndex((id) => !known.has(id.toLowerCase()))
  if (unknown >= 0) throw Invalid.at(`/lists/${unknown}`, 'not_found', 'There is no such list here.')
  // Dynamic lists may be named, as a client that sends back what it read does, but only their rules fill and empty them.
  const joins = rows.find((row) => !row.is_static && !row.member)?.id
  if (joins) {
    const index = listIds.findIndex((id) => id.toLowerCase() === joins)
    throw Invalid.at(`/lists/${index}`, 'list_is_dynamic', 'This list fills itself by its rule. Leave it out.')
  }
  const byHand = new Set(rows.filter((row) => row.is_static).map((row) => row.id))
  const wanted = new Set(listIds.map((id) => id.toLowerCase()).filter((id) => byHand.has(id)))
  const surplus = rows.filter((row) => row.is_static && row.member && !wanted.has(row.id)).map((row) => row.id)
  await lockInOrder(tx, 'contacts.lists', [...surplus, ...wanted])
  const removed = await deleteMembers(tx, actor, surplus, [contactId])
  const added = await insertMembers(tx, actor, [...wanted], [contactId])
  return removed.length + added.length > 0
}

async function lockInOrder(tx: Tx, table: 'contacts.tags' | 'contacts.lists', ids: string[]): Promise<void> {
  if (!ids.length) return
  await sql`select from ${sql.table(table)} where id = any(${ids}::uuid[]) order by id for no key update`.execute(
    tx.sql,
  )
}

/** Only what is really different: writing a column as it was would count as a new version. */
function changedColumns(contact: Contact, columns: ContactColumns): ContactColumns {
  const different = Object.entries(columns).filter(([name, value]) =>
    name === 'custom_fields'
      ? !isDeepStrictEqual(JSON.parse(String(value)), contact.custom_fields)
      : value !== contact[name as Exclude<keyof ContactColumns, 'custom_fields'>],
  )
  return Object.fromEntries(different)
}

export const emailTaken = {
  contacts_email: () =>
    new Conflict('email_taken', 'Another contact has this e-mail address.', {
      errors: [{ pointer: '/email', code: 'email_taken', detail: 'Another contact has this e-mail address.' }],
    }),
}
