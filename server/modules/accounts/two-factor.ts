/**
 * The second factor: time-based codes (RFC 6238) of an authenticator app, each usable once, and ten recovery codes.
 * The secret is sealed to its person; it counts only after its first good code.
 */
import { Secret, TOTP } from 'otpauth'
import { hashSecret } from '#platform/crypto/random.ts'
import { randomBytes } from 'node:crypto'
import type { Seal } from '#platform/crypto/seal.ts'
import type { Tx } from '#platform/db/db.ts'
import { Conflict, Invalid } from '#platform/errors.ts'

const purpose = 'accounts.totp'
const periodSeconds = 30
const recoveryAlphabet = 'ABCDEFGHJKLMNPQRSTUVWXYZ23456789' // 32 characters that nobody confuses

interface Services {
  seal: Seal
}

/** A new secret, which waits for its first code; an earlier one that waited is replaced. */
export async function prepareTwoFactor(
  tx: Tx,
  { seal }: Services,
  user: { id: string; email: string },
): Promise<{ secret: string; otpauth_url: string }> {
  const secret = new Secret({ size: 20 })
  const changed = await tx.sql
    .updateTable('accounts.users')
    .set({ totp_secret: seal.seal(purpose, secret.base32, user.id), totp_last_step: null })
    .where('id', '=', user.id)
    .where('totp_enabled_at', 'is', null)
    .executeTakeFirst()
  if (!changed.numUpdatedRows) throw alreadyOn()
  return { secret: secret.base32, otpauth_url: clock(secret.base32, user.email).toString() }
}

/** Switches it on, and answers the recovery codes, which are never shown again. */
export async function confirmTwoFactor(tx: Tx, services: Services, userId: string, code: string): Promise<string[]> {
  const user = await lockUser(tx, userId)
  if (user.totp_enabled_at) throw alreadyOn()
  if (!user.totp_secret) throw new Conflict('two_factor_not_prepared', 'Ask for a secret first.')
  if (!(await useCode(tx, services, { ...user, id: userId }, code))) {
    throw Invalid.at('/code', 'wrong_code', 'This code is not right. Is the clock of your device?')
  }
  await tx.sql.updateTable('accounts.users').set({ totp_enabled_at: tx.now }).where('id', '=', userId).execute()
  const codes = Array.from({ length: 10 }, makeRecoveryCode)
  await tx.sql.deleteFrom('accounts.recovery_codes').where('user_id', '=', userId).execute()
  await tx.sql
    .insertInto('accounts.recovery_codes')
    .values(codes.map((one) => ({ user_id: userId, code_hash: hashRecoveryCode(one) })))
    .execute()
  return codes
}

export async function disableTwoFactor(tx: Tx, userId: string): Promise<void> {
  await tx.sql
    .updateTable('accounts.users')
    .set({ totp_secret: null, totp_enabled_at: null, totp_last_step: null })
    .where('id', '=', userId)
    .execute()
  await tx.sql.deleteFrom('accounts.recovery_codes').where('user_id', '=', userId).execute()
}

/** Uses up a code of the app or a recovery code; false when it is wrong, or was used before. */
export async function useSecondFactor(tx: Tx, services: Services, userId: string, code: string): Promise<boolean> {
  if (!/^\d{6}$/.test(code.trim())) return useRecoveryCode(tx, userId, code)
  const user = await lockUser(tx, userId)
  return user.totp_enabled_at !== null && useCode(tx, services, { ...user, id: userId }, code.trim())
}

/** The row stays locked, so of two requests with one code, one finds it used. */
async function useCode(
  tx: Tx,
  { seal }: Services,
  user: { id: string; totp_secret: string | null; totp_last_step: number | null },
  code: string,
): Promise<boolean> {
  const secret = user.totp_secret ? seal.unseal(purpose, user.totp_secret, user.id) : null
  if (!secret) return false
  const timestamp = Date.now()
  const delta = clock(secret, '').validate({ token: code, timestamp, window: 1 })
  if (delta === null) return false
  const step = Math.floor(timestamp / 1_000 / periodSeconds) + delta
  if (user.totp_last_step !== null && step <= user.totp_last_step) return false
  await tx.sql.updateTable('accounts.users').set({ totp_last_step: step }).where('id', '=', user.id).execute()
  return true
}

async function useRecoveryCode(tx: Tx, userId: string, code: string): Promise<boolean> {
  const used = await tx.sql
    .deleteFrom('accounts.recovery_codes')
    .where('user_id', '=', userId)
    .where('code_hash', '=', hashRecoveryCode(code))
    .executeTakeFirst()
  return used.numDeletedRows > 0n
}

async function lockUser(tx: Tx, id: string) {
  return tx.sql
    .selectFrom('accounts.users')
    .select(['totp_secret', 'totp_enabled_at', 'totp_last_step'])
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirstOrThrow()
}

function clock(secret: string, label: string): TOTP {
  return new TOTP({ issuer: 'Rapport', label, secret, algorithm: 'SHA1', digits: 6, period: periodSeconds })
}

/** 80 bits, in groups of four. */
function makeRecoveryCode(): string {
  const characters = Array.from(randomBytes(16), (byte) => recoveryAlphabet[byte % 32]).join('')
  return characters.replace(/(.{4})(?=.)/g, '$1-')
}

/** However people type it: in small letters, with or without the dashes. */
function hashRecoveryCode(code: string): Buffer {
  return hashSecret(code.toUpperCase().replace(/[^A-Z0-9]/g, ''))
}

function alreadyOn(): Conflict {
  return new Conflict('two_factor_enabled', 'The second factor is switched on already.')
}
