// Small secrets at rest (TOTP secrets, access tokens, SMTP passwords), sealed with AES-256-GCM. The associated data ties
// a sealed value to its place (for example workspace and row), so that it cannot be moved to another row and opened there.
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'

export type Seal = {
  seal(purpose: string, secret: string, boundTo: string): string
  /** The secret, or null when it was altered, moved, or sealed under another key or purpose. */
  unseal(purpose: string, sealed: string, boundTo: string): string | null
}

const PREFIX = 's1.'
const IV_BYTES = 12
const TAG_BYTES = 16

/** Random 96-bit nonces keep the risk of a repeat below 2^-32 up to 2^32 values a purpose, far above any installation. */
export function createSeal(masterKey: Uint8Array): Seal {
  if (masterKey.length < 32) throw new Error('The master key must have at least 32 bytes.')
  const keys = new Map<string, Buffer>()

  function keyFor(purpose: string): Buffer {
    let key = keys.get(purpose)
    if (!key) {
      key = Buffer.from(hkdfSync('sha256', masterKey, 'rapport', `seal:v1:${purpose}`, 32))
      keys.set(purpose, key)
    }
    return key
  }

  return {
    seal(purpose, secret, boundTo) {
      const iv = randomBytes(IV_BYTES)
      const cipher = createCipheriv('aes-256-gcm', keyFor(purpose), iv).setAAD(Buffer.from(boundTo))
      const text = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()])
      return PREFIX + Buffer.concat([iv, cipher.getAuthTag(), text]).toString('base64url')
    },
    unseal(purpose, sealed, boundTo) {
      const bytes = Buffer.from(sealed.slice(PREFIX.length), 'base64url')
      if (!sealed.startsWith(PREFIX) || bytes.length < IV_BYTES + TAG_BYTES) return null
      const decipher = createDecipheriv('aes-256-gcm', keyFor(purpose), bytes.subarray(0, IV_BYTES), {
        authTagLength: TAG_BYTES,
      })
      decipher.setAAD(Buffer.from(boundTo)).setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES))
      try {
        return decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES), undefined, 'utf8') + decipher.final('utf8')
      } catch {
        return null
      }
    },
  }
}
