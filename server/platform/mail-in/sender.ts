/**
 * Whether the domain of From vouches for a mail: by its policy (DMARC), or without one by its own name on a good DKIM
 * signature or envelope. Anybody can write any name there; a `fail` is a mail whose domain says publicly that it was not sent
 * this way. Nothing is refused for it: it decides whether a mail may speak for somebody.
 */
import ipaddr from 'ipaddr.js'
import type { authenticate, DNSResolver } from 'mailauth'
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

/**
 * The topmost of that server alone: those below may have been written by the sender. What it quotes and remarks upon are the
 * sender's words too, such as an envelope address that contains `; dmarc=pass`: only what stands outside counts.
 */
function readResults(headers: Headers, trustedServer: string): SenderVerdict {
  const [first = ''] = headers.get('authentication-results') ?? []
  const [server = '', ...results] = withoutQuoted(first).split(';')
  if (server.trim().split(/\s/, 1)[0]!.toLowerCase() !== trustedServer.toLowerCase()) return 'none'
  const said = results.flatMap((text) => /^\s*dmarc\s*=\s*(\w+)/i.exec(text)?.[1]?.toLowerCase() ?? [])
  // A server says it once. What is said twice differently is not all its own.
  if (said.includes('fail')) return 'fail'
  return said.length && said.every((result) => result === 'pass') ? 'pass' : 'none'
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
  if (!answer || !answer.dmarc) return 'none'
  const { result, header } = answer.dmarc.status
  if (result === 'pass' || result === 'fail') return result
  // Many small domains publish no policy. Their own name on a signature or an envelope vouches for the mail all the same.
  return result === 'none' && header?.from && isSignedBy(answer, header.from.toLowerCase()) ? 'pass' : 'none'
}

/** By DKIM over the whole body, or by SPF, of that very domain: those above and below it may be others'. */
function isSignedBy({ dkim, spf }: Awaited<ReturnType<typeof authenticate>>, domain: string): boolean {
  const bySignature = dkim.results.some(
    ({ status, signingDomain }) =>
      status.result === 'pass' && !status.underSized && signingDomain?.toLowerCase() === domain,
  )
  return bySignature || (spf !== false && spf.status.result === 'pass' && spf.domain.toLowerCase() === domain)
}

/** Without quoted strings and (nested) comments; one that never ends hides all that follows. */
function withoutQuoted(text: string): string {
  let kept = ''
  let depth = 0
  let isQuoted = false
  for (let at = 0; at < text.length; at++) {
    const character = text[at]
    if (character === '\\') at++
    else if (isQuoted) isQuoted = character !== '"'
    else if (character === '"' && !depth) isQuoted = true
    else if (character === '(') depth++
    else if (character === ')' && depth) depth--
    else if (!depth) kept += character
  }
  return kept
}

function isPublic(address: string): boolean {
  return ipaddr.isValid(address) && ipaddr.process(address).range() === 'unicast'
}
