/**
 * Whether the domain of From vouches for a mail. Anybody can write any name there; a `fail` is a mail whose domain says
 * publicly that it was not sent this way. Nothing is refused for it: it decides whether a mail may speak for somebody.
 */
import ipaddr from 'ipaddr.js'
import type { DNSResolver } from 'mailauth'
import type { SenderVerdict } from './handler.ts'
import type { Headers } from './header-block.ts'

export interface Judged {
  raw: Buffer
  headers: Headers
  envelopeFrom: string | null
  client: { ip: string; greeting: string } | null
}

export interface SenderOptions {
  /** The mail server of ours that judges, and writes its name first in Authentication-Results. */
  trustedServer: string | null
  resolver?: DNSResolver
  timeoutMs?: number
}

export async function judgeSender(mail: Judged, options: SenderOptions): Promise<SenderVerdict> {
  if (options.trustedServer) return readResults(mail.headers, options.trustedServer)
  // Behind a server of ours its address is all that we see, which is nobody's sender.
  if (!mail.client || !isPublic(mail.client.ip)) return 'none'
  return ask(mail, mail.client, options)
}

/** The topmost of that server alone: those below may have been written by the sender. */
function readResults(headers: Headers, trustedServer: string): SenderVerdict {
  const [first = ''] = headers.get('authentication-results') ?? []
  const [server = '', ...results] = first.split(';')
  if (server.trim().split(/\s/, 1)[0]!.toLowerCase() !== trustedServer.toLowerCase()) return 'none'
  const result = results.map((text) => /^\s*dmarc\s*=\s*(\w+)/i.exec(text)?.[1]?.toLowerCase()).find(Boolean)
  return result === 'pass' ? 'pass' : result === 'fail' ? 'fail' : 'none'
}

async function ask(
  mail: Judged,
  client: { ip: string; greeting: string },
  options: SenderOptions,
): Promise<SenderVerdict> {
  const { authenticate } = await import('mailauth')
  const late = new Promise<null>((resolve) => setTimeout(resolve, options.timeoutMs ?? 10_000, null).unref())
  const asked = authenticate(mail.raw, {
    ip: client.ip,
    helo: client.greeting,
    sender: mail.envelopeFrom ?? '',
    disableArc: true,
    disableBimi: true,
    ...(options.resolver ? { resolver: options.resolver } : {}),
  }).catch(() => null)
  const answer = await Promise.race([asked, late])
  const result = answer && answer.dmarc ? answer.dmarc.status.result : null
  return result === 'pass' ? 'pass' : result === 'fail' ? 'fail' : 'none'
}

function isPublic(address: string): boolean {
  return ipaddr.isValid(address) && ipaddr.process(address).range() === 'unicast'
}
