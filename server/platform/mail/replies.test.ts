import { expect, test } from 'vitest'
import { classifyReply, cleanResponse, type SmtpStage } from './replies.ts'

const deferrals: [SmtpStage, string, string][] = [
  ['connect', '421 4.3.2 Service not available', 'connection'],
  ['connect', '554 5.7.1 No SMTP service here', 'connection'],
  ['connect', '535 5.7.8 Authentication credentials invalid', 'connection'],
  ['rcpt', '421-4.7.0 unusual rate of mail\n421 4.7.0 try again later', 'connection'],
  ['rcpt', '450 4.2.0 Greylisted, see http://postgrey.example', 'recipient'],
  ['rcpt', '451 4.7.1 Greylisting in action, please come back later', 'recipient'],
  ['rcpt', '450 mailbox busy', 'recipient'],
  ['rcpt', '452 4.2.2 The email account that you tried to reach is over quota', 'recipient'],
  ['rcpt', '452 mailbox full', 'recipient'],
  ['rcpt', '452 4.3.1 Insufficient system storage', 'connection'],
  ['rcpt', '452 4.5.3 Too many recipients', 'sender'],
  ['mail', '451 4.7.1 Sender is temporarily deferred', 'sender'],
  ['message', '451 4.7.650 The mail server has been temporarily rate limited due to IP reputation', 'sender'],
  ['message', '451 4.3.0 Temporary lookup failure', 'connection'],
  ['message', '450 4.7.0 try again', 'recipient'],
]

test.each(deferrals)('%s: "%s" waits, because of the %s', (stage, text, scope) => {
  expect(classifyReply({ code: Number(text.slice(0, 3)), text, stage })).toMatchObject({ outcome: 'deferred', scope })
})

const failures: [SmtpStage, string, string, string][] = [
  ['rcpt', '550 5.1.1 The email account that you tried to reach does not exist', 'invalid_mailbox', 'recipient'],
  ['rcpt', '550 5.1.10 RESOLVER.ADR.RecipientNotFound', 'invalid_mailbox', 'recipient'],
  ['rcpt', '550 5.2.1 The email account is disabled', 'invalid_mailbox', 'recipient'],
  ['rcpt', '550 5.4.1 Recipient address rejected: Access denied', 'invalid_mailbox', 'recipient'],
  ['rcpt', '550 No such user', 'invalid_mailbox', 'recipient'],
  ['rcpt', '550 Requested action not taken: mailbox unavailable', 'invalid_mailbox', 'recipient'],
  ['rcpt', '551 User not local', 'invalid_mailbox', 'recipient'],
  ['rcpt', '553 sorry, mailbox name not allowed', 'invalid_mailbox', 'recipient'],
  ['rcpt', '552 5.2.2 Mailbox full', 'mailbox_full', 'recipient'],
  ['rcpt', '552 Requested mail action aborted: exceeded storage allocation', 'mailbox_full', 'recipient'],
  ['rcpt', '550 5.7.1 Service unavailable, client host blocked using Spamhaus', 'policy', 'sender'],
  ['rcpt', '550 5.7.1 Recipient not accepting from outside', 'policy', 'recipient'],
  ['rcpt', '550 Rejected by DNSBL: user unknown to us', 'policy', 'sender'],
  ['rcpt', '554 Relay access denied', 'policy', 'recipient'],
  ['mail', '550 5.1.8 Sender address rejected: Domain not found', 'policy', 'sender'],
  ['mail', '552 5.3.4 Message size exceeds fixed limit', 'content', 'recipient'],
  ['mail', '550 user unknown', 'policy', 'sender'],
  [
    'message',
    '550 5.7.515 Access denied, sending domain does not meet the required authentication level',
    'policy',
    'sender',
  ],
  [
    'message',
    '550-5.7.26 This mail has been blocked because the sender is unauthenticated\n550 5.7.26 more',
    'policy',
    'sender',
  ],
  ['message', '554 5.7.1 Message contains spam', 'policy', 'recipient'],
  ['message', '552 5.3.4 Message too big for system', 'content', 'recipient'],
  ['message', '552 too much mail data', 'content', 'recipient'],
  ['message', '550 5.6.0 Lone CR or LF in body', 'content', 'recipient'],
  ['message', '554 Transaction failed', 'policy', 'recipient'],
  ['rcpt', '500 syntax error', 'other', 'recipient'],
  ['rcpt', '550 5.5.1 Bad sequence of commands', 'other', 'recipient'],
]

test.each(failures)('%s: "%s" fails: %s, scope %s', (stage, text, kind, scope) => {
  expect(classifyReply({ code: Number(text.slice(0, 3)), text, stage })).toMatchObject({
    outcome: 'failed',
    kind,
    scope,
  })
})

test('the enhanced code is reported when there is one, and replies are made harmless to keep', () => {
  expect(classifyReply({ code: 550, text: '550 5.1.1 no', stage: 'rcpt' })).toMatchObject({ enhanced: '5.1.1' })
  expect(classifyReply({ code: 550, text: '550 version 5.1.1 no', stage: 'rcpt' })).not.toHaveProperty('enhanced')
  expect(cleanResponse('550 a\r\n\u001b[31mb\u0000')).toBe('550 a [31mb')
  expect(cleanResponse('x'.repeat(9999))).toHaveLength(500)
})
