import { describe, expect, test } from 'vitest'
import type { Handover } from '#platform/mail/mail.ts'
import { judge } from './outcome.ts'

const deferred = (scope: 'recipient' | 'connection'): Handover => ({
  outcome: 'deferred',
  code: 450,
  response: '450 later',
  scope,
})

describe('what becomes of an attempt', () => {
  test.each<[string, Handover, number, number, object]>([
    ['taken', { outcome: 'sent', response: '250 ok' }, 1, 0, { state: 'sent', reason: null }],
    ['put off the first time', deferred('recipient'), 1, 0, { state: 'retry', reason: 'deferred', retryInMs: 60_000 }],
    ['put off the third time', deferred('recipient'), 3, 0, { state: 'retry', retryInMs: 15 * 60_000 }],
    ['put off for a day and a half', deferred('recipient'), 10, 0, { state: 'failed', reason: 'expired' }],
    ['no way to the server', deferred('connection'), 1, 0, { state: 'retry', reason: 'connection', retryInMs: 5_000 }],
    ['no way to the server for hours', deferred('connection'), 500, 0, { state: 'retry', retryInMs: 60_000 }],
    [
      'nobody there',
      { outcome: 'failed', code: 550, response: '550 5.1.1', kind: 'invalid_mailbox', scope: 'recipient' },
      1,
      0,
      { state: 'failed', reason: 'invalid_mailbox', pausesCampaign: false },
    ],
    [
      'the sender is refused',
      { outcome: 'failed', code: 550, response: '550 5.7.515', kind: 'policy', scope: 'sender' },
      1,
      0,
      { state: 'queued', pausesCampaign: true },
    ],
    [
      'no answer',
      { outcome: 'unknown', reason: 'closed' },
      1,
      0,
      { state: 'retry', reason: 'unknown', ambiguous: true },
    ],
    ['no answer twice', { outcome: 'unknown', reason: 'closed' }, 2, 1, { state: 'failed', reason: 'unknown' }],
  ])('%s', (_name, handover, attempts, ambiguous, expected) => {
    expect(judge(handover, attempts, ambiguous)).toMatchObject(expected)
  })
})
