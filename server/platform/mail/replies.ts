// What an SMTP reply means for the campaign, the sender and the person. Pure, and careful in one direction: a person is
// only called unreachable when the reply says so; what concerns us, our reputation or our content never counts against them.
import type { DeferralScope, FailureKind, Handover } from './mail.ts'

/** When the reply came: connecting and signing in, MAIL FROM, RCPT TO, or after the message (DATA and its end). */
export type SmtpStage = 'connect' | 'mail' | 'rcpt' | 'message'

export type SmtpReply = { code: number; text: string; stage: SmtpStage }

type Refusal = Extract<Handover, { outcome: 'deferred' | 'failed' }>

const RESPONSE_CHARACTERS_MAX = 500
const SAYS_NO_MAILBOX =
  /(user|mailbox|recipient|account|address)\b.{0,40}\b(unknown|not found|does ?n[o']t exist|no longer|disabled|inactive|invalid)|no such (user|mailbox|recipient|person|address)|(unknown|invalid|unrouteable|bad destination) (user|mailbox|recipient|address|account)|not a valid (user|mailbox|recipient)/i
const SAYS_FULL =
  /(over|exceed\w*|out of).{0,20}(quota|storage)|(mailbox|inbox|quota).{0,20}(full|exceed)|insufficient.{0,20}storage/i
const SAYS_POLICY =
  /spam|block(ed|list)|black ?list|deny ?list|\b(rbl|dnsbl|spf|dkim|dmarc|spamhaus)\b|reputation|policy|not authenticated|unauthenticated|access denied|relay/i
const SAYS_SENDER =
  /\b(spf|dkim|dmarc|rbl|dnsbl|spamhaus)\b|reputation|block ?list|black ?list|not authenticated|unauthenticated|authentication|\brate\b|too many|throttl/i
const SAYS_TOO_LARGE = /(message|mail|content).{0,30}(size|too (large|big))|size.{0,20}(limit|exceed)/i

/** Reads a 4xx or 5xx reply. */
export function classifyReply(reply: SmtpReply): Refusal {
  const { code, stage } = reply
  const response = cleanResponse(reply.text)
  const enhanced = /^\d{3}[ -]([45]\.\d{1,3}\.\d{1,3})\b/.exec(response)?.[1]
  const base = { code, response, ...(enhanced ? { enhanced } : {}) }
  // A refused login or banner is our trouble, also when it is "permanent": nobody's delivery may end by it.
  if (code < 500 || stage === 'connect')
    return { outcome: 'deferred', ...base, scope: deferralScope(code, enhanced, response, stage) }
  const kind = failureKind(code, enhanced, response, stage)
  return { outcome: 'failed', ...base, kind, scope: failureScope(kind, enhanced, response, stage) }
}

/** One line without control characters, short enough to be kept with each delivery. */
export function cleanResponse(text: string): string {
  return text
    .replace(/[\p{Cc}\u2028\u2029]+/gu, ' ')
    .trim()
    .slice(0, RESPONSE_CHARACTERS_MAX)
}

function deferralScope(code: number, enhanced = '', response: string, stage: SmtpStage): DeferralScope {
  if (code === 421 || stage === 'connect') return 'connection'
  if (enhanced.startsWith('4.2.') || (SAYS_FULL.test(response) && stage === 'rcpt' && !enhanced.startsWith('4.3.')))
    return 'recipient'
  if (enhanced.startsWith('4.3.') || enhanced.startsWith('4.4.')) return 'connection'
  if (stage === 'mail') return 'sender'
  // 4.7.x is greylisting as often as throttling; only what speaks of rates or reputation is about the sender.
  if (SAYS_SENDER.test(response) && !/gr[ea]y-?list/i.test(response)) return 'sender'
  return 'recipient'
}

function failureKind(code: number, enhanced = '', response: string, stage: SmtpStage): FailureKind {
  if (stage === 'mail') return SAYS_TOO_LARGE.test(response) ? 'content' : 'policy'
  const [, subject, detail] = enhanced.split('.').map(Number)
  if (subject === 1) return [7, 8, 9].includes(detail ?? 0) ? 'policy' : 'invalid_mailbox'
  if (subject === 2) return detail === 2 ? 'mailbox_full' : detail === 3 ? 'content' : 'invalid_mailbox'
  if (subject === 3) return detail === 4 ? 'content' : 'other'
  // Exchange answers 5.4.1 "access denied" for recipients that its directory does not have.
  if (subject === 4)
    return detail === 310 || (detail === 1 && /recipient address rejected/i.test(response))
      ? 'invalid_mailbox'
      : 'other'
  if (subject === 5) return 'other'
  if (subject === 6) return 'content'
  if (subject === 7) return 'policy'
  return kindByText(code, response, stage)
}

/** For servers without enhanced codes, or with the empty 5.0.0. Policy is asked first: it often quotes the recipient. */
function kindByText(code: number, response: string, stage: SmtpStage): FailureKind {
  if (SAYS_FULL.test(response)) return 'mailbox_full'
  if (SAYS_TOO_LARGE.test(response)) return 'content'
  if (SAYS_NO_MAILBOX.test(response) && !/\b(spf|dkim|dmarc|rbl|dnsbl|spamhaus)\b/i.test(response))
    return 'invalid_mailbox'
  if (SAYS_POLICY.test(response)) return 'policy'
  if (code === 552) return stage === 'rcpt' ? 'mailbox_full' : 'content'
  if (stage === 'rcpt' && [550, 551, 553].includes(code)) return 'invalid_mailbox'
  return code === 554 ? 'policy' : 'other'
}

function failureScope(kind: FailureKind, enhanced = '', response: string, stage: SmtpStage): 'recipient' | 'sender' {
  if (kind !== 'policy') return 'recipient'
  // 5.7.515 and 5.7.26: unauthenticated mail of a bulk sender. 5.7.2x: SPF, DKIM and DMARC checks (RFC 7372, 7489).
  if (stage === 'mail' || /^5\.7\.(515|2[0-9]|57)$/.test(enhanced) || /^5\.1\.[789]$/.test(enhanced)) return 'sender'
  return SAYS_SENDER.test(response) ? 'sender' : 'recipient'
}
