/**
 * The picture of a contact. The row names the files; the address in `avatar_url` carries the picture's hash, so that it may
 * be cached for ever. Files go after the commit that no longer names them, by a job.
 */
import { createHash } from 'node:crypto'
import type { Selectable } from 'kysely'
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { newId } from '#platform/ids.ts'
import type { Runtime, Services } from '#platform/services.ts'
import { forgetAvatar, keysOf } from '../avatar-files.ts'
import type { ContactRow } from '../contact-view.ts'
import { lockContact, updateContact } from '../contacts.ts'
import { userId } from '../membership.ts'
import { discardFiles } from '../stored-files.ts'
import { pictureSizes, type PictureSize } from './picture.ts'
import type { AvatarTable } from './tables.ts'

export type Avatar = Selectable<AvatarTable>

export interface StoredPicture {
  fileId: string
  sha256: string
  sizeBytes: number
  keys: string[]
}

/** Before the transaction that names it; whoever cannot name it in the end discards it again. */
export async function storePicture(
  services: Pick<Runtime, 'files' | 'db'>,
  workspaceId: string,
  contactId: string,
  picture: Record<PictureSize, Buffer>,
): Promise<StoredPicture> {
  const fileId = newId()
  const keys = keysOf(workspaceId, contactId, fileId)
  try {
    for (const size of pictureSizes) {
      const key = keyOf(workspaceId, contactId, fileId, size)
      await services.files.put(key, picture[size], { type: 'image/webp', bytesMax: picture[size].length })
    }
  } catch (error) {
    // The other size may be there, and this one too, when only the storage's answer was lost.
    await discardFiles(services, workspaceId, keys)
    throw error
  }
  return {
    fileId,
    sha256: createHash('sha256').update(picture[512]).digest('hex'),
    sizeBytes: picture[512].length,
    keys,
  }
}

/** The newest upload wins; the picture that it replaces is removed. */
export async function setAvatar(
  tx: Tx,
  actor: Actor,
  contactId: string,
  stored: StoredPicture,
  { services, ifVersion }: { services: Services; ifVersion: number | undefined },
): Promise<ContactRow> {
  await lockContact(tx, contactId)
  const avatar_url = `/api/v1/contacts/${contactId}/avatar?v=${stored.sha256.slice(0, 16)}`
  const contact = await updateContact(tx, actor, contactId, { avatar_url }, { services, ifVersion })
  await forgetAvatar(tx, contactId)
  await tx.sql
    .insertInto('contacts.avatars')
    .values({
      workspace_id: tx.workspaceId,
      contact_id: contactId,
      file_id: stored.fileId,
      sha256: stored.sha256,
      size_bytes: stored.sizeBytes,
      created_by: userId(actor),
      created_at: tx.now,
    })
    .execute()
  return contact
}

/** Of a contact that is there, or was merged into one: its survivor may show it. Null where it has no picture here. */
export async function findAvatar(tx: Tx, contactId: string): Promise<Avatar | null> {
  const row = await tx.sql
    .selectFrom('contacts.avatars as a')
    .innerJoin('contacts.contacts as c', (join) =>
      join.onRef('c.workspace_id', '=', 'a.workspace_id').onRef('c.id', '=', 'a.contact_id'),
    )
    .selectAll('a')
    .where('a.contact_id', '=', contactId)
    .where((eb) => eb.or([eb('c.deleted_at', 'is', null), eb('c.merged_into', 'is not', null)]))
    .executeTakeFirst()
  return row ?? null
}

export function keyOf(workspaceId: string, contactId: string, fileId: string, size: PictureSize): string {
  return `${workspaceId}/avatars/${contactId}/${fileId}-${size}.webp`
}
