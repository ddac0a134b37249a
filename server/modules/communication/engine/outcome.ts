/** What becomes of a delivery after an attempt: pure. The ledger stores it, and `settle.ts` draws the consequences. */
import type { Handover } from '#platform/mail/mail.ts'
import type { DeliveryState } from '../tables.ts'

export interface Outcome {
  state: Extract<DeliveryState, 'sent' | 'retry' | 'failed' | 'queued'>
  reason: string | null
  code: number | null
  response: string | null
  /** From now; for `retry` alone. */
  retryInMs: number | null
  /** The answer never came: the mail may have arrived. */
  ambiguous: boolean
  /** Everything that this sender sends would fail likewise: the campaign has to stop. */
  pausesCampaign: boolean
}

const minuteMs = 60_000
/** After the nth attempt; together about a day and a half, the time that mail servers keep trying (RFC 5321, 4.5.4.1). */
const recipientDelaysMs = [1, 5, 15, 30, 60, 120, 240, 480, 960].map((minutes) => minutes * minuteMs)
/** The way to the server is broken: that says nothing about the recipient, so it is tried soon and much longer. */
const connectionDelaysMs = [5_000, 10_000, 20_000, 40_000, minuteMs]
const connectionAttemptsMax = 2_000
const ambiguousMax = 2

const plain = { code: null, response: null, retryInMs: null, ambiguous: false, pausesCampaign: false }

/** `attempts` counts this one; `ambiguous` counts earlier hand-overs without an answer. */
export function judge(handover: Handover, attempts: number, ambiguous: number): Outcome {
  switch (handover.outcome) {
    case 'sent':
      return { ...plain, state: 'sent', reason: null, code: 250, response: handover.response }
    case 'failed': {
      const { code, response, kind, scope } = handover
      if (scope === 'sender') return { ...plain, state: 'queued', reason: kind, code, response, pausesCampaign: true }
      return { ...plain, state: 'failed', reason: kind, code, response }
    }
    case 'deferred': {
      const { code, response, scope } = handover
      const delays = scope === 'connection' ? connectionDelaysMs : recipientDelaysMs
      const attemptsMax = scope === 'connection' ? connectionAttemptsMax : recipientDelaysMs.length
      if (attempts > attemptsMax) return { ...plain, state: 'failed', reason: 'expired', code, response }
      const retryInMs = delays[Math.min(attempts, delays.length) - 1] ?? minuteMs
      return {
        ...plain,
        state: 'retry',
        reason: scope === 'connection' ? 'connection' : 'deferred',
        code,
        response,
        retryInMs,
      }
    }
    case 'unknown':
      // The same Message-ID goes out again: a mailbox that has it already can tell.
      if (ambiguous + 1 >= ambiguousMax)
        return { ...plain, state: 'failed', reason: 'unknown', response: handover.reason, ambiguous: true }
      return {
        ...plain,
        state: 'retry',
        reason: 'unknown',
        response: handover.reason,
        retryInMs: minuteMs,
        ambiguous: true,
      }
  }
}

/** It could not even be built: the content or the address is at fault, and trying again would not help. */
export function unbuildable(reason: 'content' | 'rendering' | 'invalid_address', response: string): Outcome {
  return { ...plain, state: 'failed', reason, response: response.slice(0, 500) }
}
