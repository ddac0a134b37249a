// The addresses that Rapport writes to: a deliberately small part of RFC 5321. Comments, quoted local parts, routes and
// address literals are legal, but parsers disagree about them, and each disagreement has let mail go to somebody else.
import { domainToASCII } from 'node:url'
import { MailRefused, type Mailbox } from './mail.ts'

const ATOM = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
const LOCAL_PART = new RegExp(`^${ATOM}(?:\\.${ATOM})*$`)
const DOMAIN = /^(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?:[a-z]{2,63}|xn--[a-z0-9-]{2,59})$/
// The same without a dot, for mail inside one machine or a test.
const LOCALHOST = /^localhost$/
const ADDRESS_CHARACTERS_MAX = 254

/**
 * The address as it goes into an envelope, with its domain in ASCII and lower case, or null. The local part keeps its
 * case; letters outside ASCII are refused there, because a receiver without SMTPUTF8 could not be reached anyway.
 */
export function normalizeAddress(text: string): string | null {
  if (text.length > ADDRESS_CHARACTERS_MAX) return null
  const at = text.lastIndexOf('@')
  const localPart = text.slice(0, Math.max(at, 0))
  if (at < 1 || localPart.length > 64 || !LOCAL_PART.test(localPart)) return null
  const typed = text.slice(at + 1)
  // domainToASCII would quietly accept what we do not: percent signs, ports, numbers that become addresses.
  if (!/^[\p{L}\p{M}\p{N}.-]+$/u.test(typed)) return null
  const domain = domainToASCII(typed.toLowerCase())
  if (!DOMAIN.test(domain) && !LOCALHOST.test(domain)) return null
  const address = `${localPart}@${domain}`
  return address.length <= ADDRESS_CHARACTERS_MAX ? address : null
}

/** Reads `Name <a@b.example>`, `"Name" <a@b.example>` or `a@b.example`, as people write them into settings. */
export function parseMailbox(text: string): Mailbox | null {
  if (text.length > 1000) return null
  const match = /^\s*(?:"((?:[^"\\]|\\.)*)"|([^"<>@,;]*?))\s*<([^<>\s]+)>\s*$/.exec(text)
  const address = normalizeAddress(match ? (match[3] ?? '') : text.trim())
  if (!address) return null
  const name = match?.[1]?.replace(/\\(.)/g, '$1') ?? match?.[2]
  return name ? { address, name } : { address }
}

/** The normalised address, or MailRefused naming the field. */
export function requireAddress(field: string, address: string): string {
  const normal = normalizeAddress(address)
  if (normal === null) throw new MailRefused(field, 'not an address that mail can be sent to')
  return normal
}
