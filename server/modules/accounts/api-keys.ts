/**
 * API keys: `rk_`, the workspace's id in base 62 (so that a key says where to look), and 43 random characters. The key is
 * shown once; the database keeps its hash.
 */
import { may, type Actor, type Permissions } from '#platform/actor.ts'
import { hashSecret, randomBase62 } from '#platform/crypto/random.ts'
import type { Db, Tx } from '#platform/db/db.ts'
import { Forbidden, Invalid, NotFound } from '#platform/errors.ts'
import { newId } from '#platform/ids.ts'
import { requireRank } from './ranks.ts'
import type { ApiKeyRow, StaffRole } from './tables.ts'

const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** Null for a key that was never made, is revoked, or has expired. */
export async function identifyKey(db: Db, key: string): Promise<Actor | null> {
  const [, packed, secret] = /^rk_([0-9A-Za-z]{22})_([0-9A-Za-z]{43})$/.exec(key) ?? []
  const workspaceId = packed ? unpackId(packed) : null
  if (!workspaceId || !secret) return null
  const [found] = await db.lookup<{ id: string; name: string; role: StaffRole; scopes: string[] | null }>(
    'accounts.identify_key',
    'select id, name, role, scopes from accounts.identify_key($1, $2)',
    [workspaceId, hashSecret(key)],
  )
  if (!found) return null
  const { id, name, role, scopes } = found
  return { kind: 'key', id, workspaceId, role, scopes, email: null, name }
}

export async function listApiKeys(tx: Tx): Promise<ApiKeyRow[]> {
  return tx.sql.selectFrom('accounts.api_keys').selectAll().orderBy('created_at', 'desc').limit(200).execute()
}

export interface NewApiKey {
  name: string
  role: StaffRole
  scopes?: string[] | undefined
  expires_at?: string | undefined
}

/** A key can never do more than its maker, nor name a scope that its role does not have. */
export async function createApiKey(
  tx: Tx,
  actor: Actor,
  permissions: Permissions,
  input: NewApiKey,
): Promise<{ row: ApiKeyRow; key: string }> {
  // A key that could make keys would shed its own scopes and expiry.
  if (actor.kind !== 'user') throw new Forbidden('people_only', 'Only a person can make API keys.')
  requireRank(actor, input.role)
  const scopes = input.scopes ? [...new Set(input.scopes)] : null
  const beyond = scopes?.findIndex((scope) => !may(permissions, { ...actor, role: input.role, scopes: null }, scope))
  if (beyond !== undefined && beyond >= 0) {
    throw Invalid.at(`/scopes/${beyond}`, 'unknown_scope', `The role ${input.role} has no such permission.`)
  }
  const expiresAt = input.expires_at ? new Date(input.expires_at) : null
  if (expiresAt && expiresAt <= tx.now) throw Invalid.at('/expires_at', 'past', 'The expiry must lie in the future.')
  const key = `rk_${packId(tx.workspaceId)}_${randomBase62()}`
  const row = await tx.sql
    .insertInto('accounts.api_keys')
    .values({
      workspace_id: tx.workspaceId,
      id: newId(),
      name: input.name,
      role: input.role,
      scopes,
      secret_hash: hashSecret(key),
      ending: key.slice(-4),
      created_by: actor.id,
      expires_at: expiresAt,
    })
    .returningAll()
    .executeTakeFirstOrThrow()
  return { row, key }
}

/** Works from the very next request on: nothing remembers keys. */
export async function revokeApiKey(tx: Tx, id: string): Promise<void> {
  const revoked = await tx.sql.deleteFrom('accounts.api_keys').where('id', '=', id).executeTakeFirst()
  if (!revoked.numDeletedRows) throw new NotFound('API key')
}

function packId(id: string): string {
  let rest = BigInt(`0x${id.replaceAll('-', '')}`)
  let text = ''
  for (let place = 0; place < 22; place++) {
    text = digits[Number(rest % 62n)] + text
    rest /= 62n
  }
  return text
}

/** Null for 22 characters that stand for more than 128 bits. */
function unpackId(text: string): string | null {
  let number = 0n
  for (const digit of text) number = number * 62n + BigInt(digits.indexOf(digit))
  const hex = number.toString(16).padStart(32, '0')
  if (hex.length > 32) return null
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}
