// Secrets out of the system's generator, and how they are kept: only as SHA-256, which is enough for values of 256
// random bits (passwords are another matter, see passwords.ts).
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** A session token or the like: 256 bits unless told otherwise, base64url. */
export function randomSecret(bytes = 32): string {
  return randomBytes(bytes).toString('base64url')
}

/** Random letters and digits, for keys that people copy; 43 of them carry 256 bits. Every character is equally likely. */
export function randomBase62(length = 43): string {
  let text = ''
  while (text.length < length) {
    for (const byte of randomBytes(length - text.length + 8)) {
      // 248 is the largest multiple of 62 in a byte: taking what lies above would favour the first characters.
      if (byte < 248 && text.length < length) text += BASE62[byte % 62]
    }
  }
  return text
}

/** The form in which session tokens and API keys are stored and looked up. */
export function hashSecret(secret: string): Buffer {
  return createHash('sha256').update(secret, 'utf8').digest()
}

/** Compares two secrets in a time that tells nothing of where, or in what length, they differ. */
export function sameSecret(one: string, other: string): boolean {
  return timingSafeEqual(hashSecret(one), hashSecret(other))
}
