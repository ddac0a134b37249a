/**
 * Addresses and message ids that say what a mail answers, signed: `sales+<token>@shop.example`. Small letters and digits
 * only, because servers on the way may change the case of a local part. Whoever has such an address has had our mail; that
 * alone makes nobody the person whom it was for.
 */
import { timingSafeEqual } from 'node:crypto'
import { packUuids, unpackUuids, type Tokens } from '../crypto/tokens.ts'
import { isId } from '../ids.ts'

type Keys = { tokens: Pick<Tokens, 'fingerprint'> }

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567'
const macBytes = 10
const tokenPattern = /^[a-z2-7]{42}$/
const localPartMax = 64

/** What a token stands for; one made for a ticket is nothing for a delivery. */
export type TokenUse = 'ticket' | 'delivery'

/** 42 characters: the id, and 80 bits that prove that we wrote it, for this workspace and use. */
export function mailToken(keys: Keys, use: TokenUse, workspaceId: string, id: string): string {
  return toBase32(Buffer.concat([packUuids(id), mac(keys, use, workspaceId, id)]))
}

/** The id, or null where it is not ours. */
export function openMailToken(keys: Keys, use: TokenUse, workspaceId: string, token: string): string | null {
  if (!tokenPattern.test(token)) return null
  const bytes = fromBase32(token)
  const id = unpackUuids(bytes.subarray(0, 16), 1)?.[0]
  if (!id || !isId(id)) return null
  return timingSafeEqual(bytes.subarray(16), mac(keys, use, workspaceId, id)) ? id : null
}

/** The address with the token in it; null where its local part would become longer than mail allows. */
export function addressWithToken(address: string, token: string): string | null {
  const at = address.lastIndexOf('@')
  const localPart = `${address.slice(0, at)}+${token}`
  return localPart.length > localPartMax ? null : `${localPart}${address.slice(at)}`
}

/** The plain address in small letters, and what stood behind the plus sign. */
export function splitAddress(address: string): { address: string; tag: string | null } {
  const [, local = '', tag, domain = ''] = /^([^+@]*)(?:\+([^@]*))?(@.*)$/.exec(address.toLowerCase()) ?? []
  return local ? { address: `${local}${domain}`, tag: tag ?? null } : { address: address.toLowerCase(), tag: null }
}

/** `<token.unique@domain>`: whoever answers it names the token again, in In-Reply-To and References. */
export function messageIdWithToken(token: string, unique: string, domain: string): string {
  return `<${token}.${unique.replaceAll('-', '')}@${domain}>`
}

/** The tokens in message ids that have the form of ours; the caller opens them. */
export function tokensInMessageIds(ids: readonly string[]): string[] {
  const found = ids.flatMap((id) => /^<([a-z2-7]{42})\.[0-9a-f]{32}@/.exec(id)?.[1] ?? [])
  return [...new Set(found)]
}

function mac({ tokens }: Keys, use: TokenUse, workspaceId: string, id: string): Buffer {
  return tokens.fingerprint(`mail.${use}`, `${workspaceId} ${id}`).subarray(0, macBytes)
}

function toBase32(bytes: Uint8Array): string {
  let text = ''
  let bits = 0
  let held = 0
  for (const byte of bytes) {
    held = (held << 8) | byte
    for (bits += 8; bits >= 5; bits -= 5) text += alphabet[(held >> (bits - 5)) & 31]
    held &= 0xff
  }
  return bits ? text + alphabet[(held << (5 - bits)) & 31] : text
}

function fromBase32(text: string): Buffer {
  const bytes: number[] = []
  let bits = 0
  let held = 0
  for (const character of text) {
    held = ((held << 5) | alphabet.indexOf(character)) & 0xfff
    bits += 5
    if (bits >= 8) bytes.push((held >> (bits -= 8)) & 0xff)
  }
  return Buffer.from(bytes)
}
