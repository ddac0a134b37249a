/** The addresses that mail is taken for: modules enter theirs, the doors ask whose one is. */
import './tables.ts'
import type { Db, Tx } from '../db/db.ts'
import { Conflict } from '../errors.ts'
import { newId } from '../ids.ts'
import { splitAddress } from './address-token.ts'
import type { MailPurpose } from './tables.ts'

/** One of our addresses as a mail named it. */
export interface Destination {
  workspaceId: string
  addressId: string
  address: string
  purpose: MailPurpose
  /** What stood behind the plus sign. */
  tag: string | null
  /** As the mail named it. */
  named: string
}

/** Answers its id. An address belongs to one workspace alone, so a taken one is refused without saying whose it is. */
export async function takeAddress(tx: Tx, address: string, purpose: MailPurpose): Promise<string> {
  const id = newId()
  try {
    await tx.sql
      .insertInto('platform.mail_addresses')
      .values({ workspace_id: tx.workspaceId, id, address: address.toLowerCase(), purpose })
      .execute()
  } catch (error) {
    throw translate(error)
  }
  return id
}

export async function changeAddress(tx: Tx, id: string, address: string): Promise<void> {
  try {
    await tx.sql
      .updateTable('platform.mail_addresses')
      .set({ address: address.toLowerCase() })
      .where('id', '=', id)
      .execute()
  } catch (error) {
    throw translate(error)
  }
}

export async function giveUpAddress(tx: Tx, id: string): Promise<void> {
  await tx.sql.deleteFrom('platform.mail_addresses').where('id', '=', id).execute()
}

/** The workspace's first address for this; null where it has none. */
export async function addressFor(tx: Tx, purpose: MailPurpose): Promise<string | null> {
  const row = await tx.sql
    .selectFrom('platform.mail_addresses')
    .select('address')
    .where('purpose', '=', purpose)
    .orderBy('created_at')
    .orderBy('id')
    .limit(1)
    .executeTakeFirst()
  return row?.address ?? null
}

/** Which of these are addresses of this workspace: mail from them is our own. */
export async function findOwnAddresses(tx: Tx, addresses: readonly string[]): Promise<string[]> {
  const asked = addresses.flatMap((address) => [address.toLowerCase(), splitAddress(address).address])
  if (!asked.length) return []
  const rows = await tx.sql
    .selectFrom('platform.mail_addresses')
    .select('address')
    .where('address', 'in', asked)
    .execute()
  return rows.map(({ address }) => address)
}

/** Which of these are ours; from any workspace, because a server that hands over mail names none. */
export async function findDestinations(db: Db, recipients: readonly string[]): Promise<Destination[]> {
  const asked = [...new Set(recipients)].map((named) => ({ named, whole: named.toLowerCase(), ...splitAddress(named) }))
  const rows = await db.lookup<{ workspace_id: string; id: string; address: string; purpose: MailPurpose }>(
    'mail_in_find_addresses',
    'select * from platform.find_mail_addresses($1)',
    [[...new Set(asked.flatMap(({ whole, address }) => [whole, address]))]],
  )
  const byAddress = new Map(rows.map((row) => [row.address, row]))
  return asked.flatMap(({ named, whole, address, tag }) => {
    // An address may itself hold a plus sign.
    const exact = byAddress.get(whole)
    const row = exact ?? byAddress.get(address)
    if (!row) return []
    return [
      {
        workspaceId: row.workspace_id,
        addressId: row.id,
        address: row.address,
        purpose: row.purpose,
        tag: exact ? null : tag,
        named,
      },
    ]
  })
}

function translate(error: unknown): unknown {
  if ((error as { constraint?: string }).constraint !== 'mail_address_taken') return error
  return new Conflict('address_taken', 'Mail for this address is taken in already. Choose another one.')
}
