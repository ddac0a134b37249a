/** Deleting contacts and bringing them back. A deleted contact keeps its lists, tags and timeline until it is erased. */
import { sql } from 'kysely'
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { checkVersion, Conflict } from '#platform/errors.ts'
import { publishContacts, type ContactFacts } from './contact-events.ts'
import type { ContactRow } from './contact-view.ts'
import { emailTaken, getContact, lockContact } from './contacts.ts'
import { orRefuse } from '#platform/db/constraints.ts'
import { recordInteractions } from './interactions.ts'
import { asOperation } from './operations/record.ts'

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
  await asOperation(tx, actor, { kind: 'delete', action: 'delete' }, () => deleteContacts(tx, actor, [id]))
}

/** Restoring a contact that is there changes nothing; one whose e-mail somebody else has meanwhile stays deleted. */
export async function restoreContact(tx: Tx, actor: Actor, id: string): Promise<ContactRow> {
  const contact = await lockContact(tx, id, { deletedToo: true })
  if (contact.merged_into) {
    throw new Conflict('merged', `This contact was merged into ${contact.merged_into}. Undo that merge to have both.`, {
      more: { merged_into: contact.merged_into },
    })
  }
  if (contact.deleted_at) {
    await asOperation(tx, actor, { kind: 'restore', action: 'restore' }, async () => {
      const restore = tx.sql.updateTable('contacts.contacts').set({ deleted_at: null }).where('id', '=', id)
      await orRefuse(restore.execute(), emailTaken)
      await announceRestored(tx, actor, [contact])
    })
  }
  return getContact(tx, id)
}

/** Those whose address is free; answers them. Of two deleted contacts with one address the newest comes back. */
export async function restoreContacts(tx: Tx, actor: Actor, ids: string[]): Promise<ContactFacts[]> {
  const { rows } = await sql<ContactFacts>`
    update contacts.contacts c set deleted_at = null
    where c.deleted_at is not null and c.id in (
      select distinct on (d.email_key) d.id from contacts.contacts d
      where d.id = any(${ids}::uuid[]) and d.deleted_at is not null and d.merged_into is null
        and not exists (select from contacts.contacts live
          where live.workspace_id = d.workspace_id and live.email_key = d.email_key and live.deleted_at is null)
      order by d.email_key, d.deleted_at desc, d.id)
    returning c.id, c.email, c.first_name, c.last_name`.execute(tx.sql)
  await announceRestored(tx, actor, rows)
  return rows
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
