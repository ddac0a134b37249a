/** Delivery reports in the dialects of mail servers, each with what it says of the mailbox. Invented. */
import type { BounceKind } from '#platform/mail-in/bounce-kind.ts'

export interface LabelledReport {
  name: string
  kind: BounceKind | null
  raw: string
}

/** The mail that came back, as far as reports quote it. */
export const returnedId = '<c4mp41gn.7@moulin.example>'
const returned = `From: Moulin <news@moulin.example>\nTo: jonas@field.example\nSubject: Sale\nMessage-ID: ${returnedId}\n`

type Status = [name: string, kind: BounceKind | null, action: string, status: string, diagnostic: string]

const statuses: Status[] = [
  [
    'postfix unknown user',
    'hard',
    'failed',
    '5.1.1',
    'smtp; 550 5.1.1 <jonas@field.example>: Recipient address rejected: User unknown in virtual mailbox table',
  ],
  [
    'gmail unknown',
    'hard',
    'failed',
    '5.1.1',
    "smtp; 550-5.1.1 The email account that you tried to reach does not exist. Please try double-checking the recipient's email address",
  ],
  [
    'exchange not found',
    'hard',
    'failed',
    '5.1.10',
    'smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup',
  ],
  [
    'outlook.com',
    'hard',
    'failed',
    '5.5.0',
    'smtp; 550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302).',
  ],
  [
    'office 365 access denied',
    'hard',
    'failed',
    '5.4.1',
    'smtp;550 5.4.1 Recipient address rejected: Access denied. [AM5EUR02FT062]',
  ],
  ['domain gone', 'hard', 'failed', '5.1.2', 'smtp; 550 5.1.2 Bad destination system address'],
  [
    'office 365 domain gone',
    'hard',
    'failed',
    '5.4.310',
    'smtp;550 5.4.310 DNS domain field.example does not exist [Message=InfoDomainNonexistent]',
  ],
  ['disabled', 'hard', 'failed', '5.2.1', 'smtp; 550 5.2.1 The email account that you tried to reach is disabled.'],
  ['no status, words', 'hard', 'failed', '5.0.0', 'smtp; 550 No such user here'],
  [
    'yahoo',
    'hard',
    'failed',
    '5.0.0',
    'smtp; 554 delivery error: dd This user does not have a yahoo account (jonas@field.example) - mailbox unknown',
  ],
  ['moved away', 'hard', 'failed', '5.1.6', 'smtp; 551 5.1.6 Recipient has moved, no forwarding address'],
  ['bad syntax', 'hard', 'failed', '5.1.3', 'smtp; 553 5.1.3 Invalid address format'],
  ['gmail full', 'full', 'failed', '5.2.2', 'smtp; 552-5.2.2 The email account that you tried to reach is over quota'],
  ['full as 550', 'full', 'failed', '5.0.0', 'smtp; 550 Mailbox quota exceeded'],
  [
    'dovecot full',
    'full',
    'failed',
    '5.2.2',
    'lmtp; 552 5.2.2 <jonas@field.example> Quota exceeded (mailbox for user is full)',
  ],
  ['full for now', 'full', 'delayed', '4.2.2', 'smtp; 452 4.2.2 Mailbox full'],
  ['full fr', 'full', 'failed', '5.2.2', 'smtp; 552 5.2.2 Boîte aux lettres pleine'],
  ['full de', 'full', 'failed', '5.7.1', 'smtp; 550 Das Postfach ist voll'],
  ['spam', 'policy', 'failed', '5.7.1', 'smtp; 550 5.7.1 Message rejected as spam by Content Filtering.'],
  [
    'block list',
    'policy',
    'failed',
    '5.7.1',
    'smtp; 554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.example',
  ],
  [
    'dmarc',
    'policy',
    'failed',
    '5.7.26',
    "smtp; 550-5.7.26 Unauthenticated email from moulin.example is not accepted due to domain's DMARC policy",
  ],
  [
    'bulk sender',
    'policy',
    'failed',
    '5.7.515',
    'smtp; 550 5.7.515 Access denied, sending domain does not meet the required authentication level',
  ],
  [
    'reputation',
    'policy',
    'failed',
    '5.7.1',
    'smtp; 554 5.7.1 Your access to this mail system has been rejected due to poor reputation of a domain used in message transfer',
  ],
  ['restricted group', 'policy', 'failed', '5.7.124', 'smtp; 550 5.7.124 RESOLVER.RST.SenderNotInAllowedSendersList'],
  ['too large', 'policy', 'failed', '5.3.4', 'smtp; 552 5.3.4 Message size exceeds fixed limit'],
  ['content', 'policy', 'failed', '5.6.0', 'smtp; 554 5.6.0 Message contains invalid header'],
  ['greylist', 'soft', 'delayed', '4.7.1', 'smtp; 451 4.7.1 Greylisting in action, please come back later'],
  ['late', 'soft', 'delayed', '4.4.1', 'smtp; connect to mx.field.example[192.0.2.9]:25: Connection timed out'],
  ['gave up', 'soft', 'failed', '4.4.1', 'smtp; connect to mx.field.example[192.0.2.9]:25: Connection timed out'],
  ['gave up, expired', 'soft', 'failed', '5.4.7', 'smtp; 554 5.4.7 Message expired'],
  ['office 365 expired', 'soft', 'failed', '5.4.300', 'smtp;550 5.4.300 Message expired -> 451 4.4.0 DNS query failed'],
  ['exim gave up', 'soft', 'failed', '5.0.0', 'smtp; retry time expired; host mx.field.example: connection refused'],
  ['server down', 'soft', 'failed', '5.3.0', 'smtp; 554 5.3.0 Local configuration error'],
  ['loop', 'soft', 'failed', '5.4.6', 'smtp; 554 5.4.6 Too many hops'],
  ['delivered', null, 'delivered', '2.0.0', 'smtp; 250 2.0.0 OK'],
  ['relayed', null, 'relayed', '2.0.0', 'smtp; 250 OK'],
]

function report([name, kind, action, status, diagnostic]: Status): LabelledReport {
  const raw = `From: MAILER-DAEMON@mx.example
To: news@moulin.example
Subject: Undelivered Mail Returned to Sender
Message-ID: <dsn.${name.replaceAll(/\W/g, '')}@mx.example>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="=b1"

--=b1
Content-Type: text/plain; charset=utf-8

This is the mail system at host mx.example. I'm sorry.

--=b1
Content-Type: message/delivery-status
Content-Transfer-Encoding: 8bit

Reporting-MTA: dns; mx.example
Arrival-Date: Tue, 3 Nov 2026 10:12:00 +0000

Final-Recipient: rfc822; jonas@field.example
Original-Recipient: rfc822;jonas@field.example
Action: ${action}
Status: ${status}
Remote-MTA: dns; mx.field.example
Diagnostic-Code: ${diagnostic}

--=b1
Content-Type: text/rfc822-headers

${returned}
--=b1--
`
  return { name, kind, raw: raw.replaceAll('\n', '\r\n') }
}

const prose = ([name, kind, text]: [string, BounceKind, string]): LabelledReport => ({
  name,
  kind,
  raw: `From: MAILER-DAEMON@host.example\nTo: news@moulin.example\nSubject: failure notice\nMessage-ID: <p.${name.replaceAll(/\W/g, '')}@host.example>\n\n${text}\n`.replaceAll(
    '\n',
    '\r\n',
  ),
})

const inProse = (
  [
    [
      'qmail unknown',
      'hard',
      `Hi. This is the qmail-send program at host.example.\nI'm afraid I wasn't able to deliver your message to the following addresses.\n\n<jonas@field.example>:\n192.0.2.9 does not like recipient.\nRemote host said: 550 5.1.1 User unknown\nGiving up on 192.0.2.9.\n\n--- Below this line is a copy of the message.\n\n${returned}\nHello`,
    ],
    [
      'qmail full',
      'full',
      `<jonas@field.example>:\nRemote host said: 552 5.2.2 Mailbox full\n\n--- Below this line is a copy of the message.\n\n${returned}\nHello`,
    ],
    [
      'exim words',
      'hard',
      `This message was created automatically by mail delivery software.\n\n  jonas@field.example\n    host mx.field.example [192.0.2.9]\n    SMTP error from remote mail server after RCPT TO:<jonas@field.example>:\n    550 No such user here\n\n------ This is a copy of the message, including all the headers. ------\n\n${returned}\nHello`,
    ],
    [
      'exim delay',
      'soft',
      `A message that you sent has not yet been delivered.\n\n  jonas@field.example\n    Delay reason: 451 4.7.1 try later\n\nNo action is required on your part. Delivery attempts will continue.`,
    ],
    [
      'spam in prose',
      'policy',
      `<jonas@field.example>:\nRemote host said: 554 5.7.1 Message rejected as spam\n\n--- Below this line is a copy of the message.\n\n${returned}\nHello`,
    ],
  ] as [string, BounceKind, string][]
).map(prose)

export const labelledReports: LabelledReport[] = [...statuses.map(report), ...inProse]

/** A provider's complaint, about a mail with this head. */
export function complaintAbout(head: string, type = 'abuse'): string {
  return `From: feedback@isp.example
To: news@moulin.example
Subject: FW: Sale
Message-ID: <arf.1@isp.example>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="=a1"

--=a1
Content-Type: text/plain

This is an email abuse report.

--=a1
Content-Type: message/feedback-report

Feedback-Type: ${type}
User-Agent: Feedback/1.0
Version: 1
Original-Rcpt-To: redacted@isp.example

--=a1
Content-Type: message/rfc822

${head}

Hello
--=a1--
`.replaceAll(/\r?\n/g, '\r\n')
}
