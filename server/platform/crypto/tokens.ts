// Signed tokens for links: unsubscribe, tracking, invitations, downloads. Every purpose has a key of its own, derived
// from the master key, so a token made for one purpose is noise to every other. A token is not a secret container:
// its payload can be read by whoever holds it.
import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto'

export type JsonObject = { [key: string]: unknown }

export type Tokens = {
  /** Makes a token: 5 bytes of overhead with an expiry (1 without), 16 of MAC, base64url. Two UUIDs fit in 66 characters. */
  sign(purpose: string, payload: Uint8Array | JsonObject, options?: { expiresAt?: Date }): string
  /** The bytes that were signed, or null: forged, expired, of another purpose, or not bytes. */
  open(purpose: string, token: string): Buffer | null
  /** The object that was signed, or null likewise. */
  openObject(purpose: string, token: string): JsonObject | null
  /** A keyed hash (32 bytes): finds a text again without keeping it, and tells nothing to whoever lacks the master key. */
  fingerprint(purpose: string, text: string): Buffer
}

const VERSION = 1
const VERSION_MASK = 0x0f
const EXPIRES = 0x10
const IS_OBJECT = 0x20
const MAC_BYTES = 16
const TOKEN_CHARACTERS_MAX = 4096
const MASTER_KEY_BYTES_MIN = 32

/** Purpose-bound tokens under one master key; `now` is a seam for tests of expiry. */
export function createTokens(masterKey: Uint8Array, now: () => number = Date.now): Tokens {
  if (masterKey.length < MASTER_KEY_BYTES_MIN) throw new Error('The master key must have at least 32 bytes.')
  const keys = new Map<string, Buffer>()

  function keyFor(label: string): Buffer {
    let key = keys.get(label)
    if (!key) {
      key = Buffer.from(hkdfSync('sha256', masterKey, 'rapport', label, 32))
      keys.set(label, key)
    }
    return key
  }

  function mac(purpose: string, body: Uint8Array): Buffer {
    const key = keyFor(`token:v${VERSION}:${purpose}`)
    return createHmac('sha256', key).update(body).digest().subarray(0, MAC_BYTES)
  }

  function verified(purpose: string, token: string, kind: number): Buffer | null {
    if (token.length > TOKEN_CHARACTERS_MAX) return null
    const bytes = Buffer.from(token, 'base64url')
    // A lenient decoder accepts several spellings of one token; only the one that was issued is good.
    if (bytes.length < 1 + MAC_BYTES || bytes.toString('base64url') !== token) return null
    const body = bytes.subarray(0, bytes.length - MAC_BYTES)
    if (!timingSafeEqual(mac(purpose, body), bytes.subarray(body.length))) return null
    const head = body[0] ?? 0
    if ((head & VERSION_MASK) !== VERSION || (head & IS_OBJECT) !== kind) return null
    if (!(head & EXPIRES)) return body.subarray(1)
    return now() < body.readUInt32BE(1) * 1000 ? body.subarray(5) : null
  }

  return {
    sign(purpose, payload, { expiresAt } = {}) {
      const isBytes = payload instanceof Uint8Array
      const content = isBytes ? payload : Buffer.from(JSON.stringify(payload))
      const head = Buffer.alloc(expiresAt ? 5 : 1)
      head[0] = VERSION | (expiresAt ? EXPIRES : 0) | (isBytes ? 0 : IS_OBJECT)
      if (expiresAt) head.writeUInt32BE(Math.floor(expiresAt.getTime() / 1000), 1)
      const body = Buffer.concat([head, content])
      return Buffer.concat([body, mac(purpose, body)]).toString('base64url')
    },
    open: (purpose, token) => verified(purpose, token, 0),
    openObject(purpose, token) {
      const content = verified(purpose, token, IS_OBJECT)
      return content ? (JSON.parse(content.toString('utf8')) as JsonObject) : null
    },
    fingerprint: (purpose, text) =>
      createHmac('sha256', keyFor(`fingerprint:v1:${purpose}`))
        .update(text, 'utf8')
        .digest(),
  }
}

/** Packs UUIDs into 16 bytes each, the shortest payload a link can carry. */
export function packUuids(...uuids: string[]): Buffer {
  return Buffer.concat(
    uuids.map((uuid) => {
      const bytes = Buffer.from(uuid.replaceAll('-', ''), 'hex')
      if (bytes.length !== 16) throw new Error('Not a UUID.')
      return bytes
    }),
  )
}

/** The UUIDs of a payload made by `packUuids`; null when the length is not the expected one. */
export function unpackUuids(payload: Buffer, count: number): string[] | null {
  if (payload.length !== count * 16) return null
  return Array.from({ length: count }, (_, index) => {
    const hex = payload.toString('hex', index * 16, index * 16 + 16)
    return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
  })
}
