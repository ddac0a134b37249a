/**
 * What a report says about a person. Only `hard` is lasting: the mailbox does not exist. A full mailbox, a filter that dislikes
 * us or our words, and a server that is late say nothing of the kind, and nobody may lose their mail by them.
 */
import { classifyReply } from '../mail/replies.ts'
import type { RecipientReport } from './report.ts'

export type BounceKind = 'hard' | 'full' | 'policy' | 'soft'

/** Null for what is no failure at all: delivered, relayed, expanded. */
export function classifyBounce({ action, status, diagnostic }: RecipientReport): BounceKind | null {
  if (action !== 'failed' && action !== 'delayed') return null
  if (saysFull(status, diagnostic)) return 'full'
  if (action === 'delayed') return 'soft'
  // The diagnostic often knows more than the status, whose 5.0.0 says nothing; and where both speak, they are read as one reply.
  const code = /^([245]\d\d)\b/.exec(diagnostic)?.[1]
  const enhanced = informative(status) ?? /\b([45]\.\d{1,3}\.\d{1,3})\b/.exec(diagnostic)?.[1] ?? ''
  // An address that had waited for days and then "failed" may exist: nobody ever asked its server, or it never answered.
  if (/^4\.|^5\.4\.[0-7]$|^5\.3\.[0-35]/.test(enhanced) || code?.startsWith('4') || isExpired(diagnostic)) {
    return saysRefused(diagnostic) ? 'hard' : 'soft'
  }
  // Outlook.com's one answer for addresses that it does not have.
  if (code === '550' && /requested action not taken: mailbox unavailable/i.test(diagnostic)) return 'hard'
  const words = diagnostic.replace(/^[245]\d\d[ -]*/, '').replace(/^#?[45]\.\d{1,3}\.\d{1,3}[ -]*/, '')
  const text = `${code ?? '550'} ${enhanced ? `${enhanced} ` : ''}${words}`
  const read = classifyReply({ code: Number(code ?? 550), text, stage: words || enhanced ? 'rcpt' : 'message' })
  if (read.outcome === 'deferred') return 'soft'
  switch (read.kind) {
    case 'invalid_mailbox':
      return 'hard'
    case 'mailbox_full':
      return 'full'
    case 'policy':
      return 'policy'
    case 'content':
      return 'policy'
    case 'other':
      return 'soft'
    default:
      return read.kind satisfies never
  }
}

function saysFull(status: string | null, diagnostic: string): boolean {
  if (/^[45]\.2\.2$/.test(status ?? '')) return true
  return /\b[45]\.2\.2\b|quota|mailbox.{0,12} full|inbox is full|out of storage|over ?quota|insufficient storage|boîte.{0,20}pleine|postfach.{0,20}voll|căsuța.{0,30}plină/i.test(
    diagnostic,
  )
}

function isExpired(diagnostic: string): boolean {
  return /(delivery|message|retry) time.{0,3}(out|expired)|expired|timed out|connection (refused|timed)|no route|host .{0,60}not found|temporar/i.test(
    diagnostic,
  )
}

/** Exchange's directory answers this way for who is not in it. */
function saysRefused(diagnostic: string): boolean {
  return /recipient address rejected: access denied|5\.4\.310|domain .{0,80}does not exist/i.test(diagnostic)
}

function informative(status: string | null): string | null {
  return status && !/^[245]\.0\.0$/.test(status) ? status : null
}
