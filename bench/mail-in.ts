/**
 * Mail that comes in: `npm run bench -- mail-in [mails] [steady]`.
 *
 * First how well it is understood, over the invented corpus: sorts of mail, delivery reports, what is new in a reply. Then how
 * fast: parsing alone, in this process; and from the first byte of SMTP to the last ticket, by a worker of its own on a
 * database of its own. One mail in ten is an answer of the same person, for whom their domain vouches; one in twenty names a
 * stranger's mail, and one in twenty a person's own without anybody vouching for it: what became of them is counted as
 * threading. Latency is taken at half the rate that was reached, for `steady` mails.
 */
import { setTimeout as pause } from 'node:timers/promises'
import nodemailer from 'nodemailer'
import PostalMime from 'postal-mime'
import { classifyBounce } from '../server/platform/mail-in/bounce-kind.ts'
import { readHeaderBlock } from '../server/platform/mail-in/header-block.ts'
import { classifyMail } from '../server/platform/mail-in/kind.ts'
import { stripQuotedHtml } from '../server/platform/mail-in/quotes/html.ts'
import { stripQuotedText } from '../server/platform/mail-in/quotes/text.ts'
import { readMail } from '../server/platform/mail-in/read-mail.ts'
import { readDeliveryReport } from '../server/platform/mail-in/report.ts'
import { labelledHeads, ownMark } from '../server/testing/mails/labelled-heads.ts'
import { labelledReports } from '../server/testing/mails/reports.ts'
import { threadMails } from '../server/testing/mails/threads.ts'
import { report, type Line } from './report.ts'
import { startRig, until } from './rig.ts'

const [mails = 10_000, steady = 1_000] = process.argv.slice(2).map(Number)
const mailPort = 20_000 + (process.pid % 20_000)
const connections = 8
const judge = 'mx.moulin.example'

const lines: Line[] = [...(await scores()), ...(await speed())]
process.exitCode = report('mail-in', lines, { mails, steady, connections, node: process.version }) ? 0 : 1

async function scores(): Promise<Line[]> {
  const judged = labelledHeads.map((head) => {
    const { subject, envelopeFrom } = head
    const headers = readHeaderBlock(head.lines.join('\r\n'))
    return {
      is: head.kind,
      said: classifyMail({ headers, subject, from: head.from.toLowerCase(), envelopeFrom, ownMarks: [ownMark] }),
    }
  })
  const share = (part: number, whole: number): number[] => [whole ? part / whole : 1]
  const both = judged.filter(({ is, said }) => is === 'auto_reply' && said === 'auto_reply').length
  const reports = await Promise.all(
    labelledReports.map(async ({ kind, raw }) => {
      const mail = await readMail(Buffer.from(raw))
      const [recipient] = readDeliveryReport(mail.reportParts, mail.text).recipients
      return recipient !== undefined && classifyBounce(recipient) === kind
    }),
  )
  const plain = (text: string): string => text.replaceAll(/\s+/g, ' ').trim()
  const inText = threadMails.filter((mail) => plain(stripQuotedText(mail.text, mail.subject)) === plain(mail.expected))
  const withHtml = threadMails.filter(({ html }) => html)
  const inHtml = withHtml.filter(
    (mail) => plain(stripQuotedHtml(mail.html!, mail.subject).text) === plain(mail.expected),
  )
  return [
    {
      what: `sorts of mail right (${judged.length} heads)`,
      unit: '',
      values: share(judged.filter(({ is, said }) => is === said).length, judged.length),
    },
    {
      what: 'auto-replies: precision',
      unit: '',
      values: share(both, judged.filter(({ said }) => said === 'auto_reply').length),
    },
    {
      what: 'auto-replies: recall',
      unit: '',
      values: share(both, judged.filter(({ is }) => is === 'auto_reply').length),
    },
    {
      what: `reports classified right (${reports.length})`,
      unit: '',
      values: share(reports.filter(Boolean).length, reports.length),
    },
    {
      what: `replies stripped exactly, text (${threadMails.length})`,
      unit: '',
      values: share(inText.length, threadMails.length),
    },
    {
      what: `replies stripped exactly, HTML (${withHtml.length})`,
      unit: '',
      values: share(inHtml.length, withHtml.length),
    },
  ]
}

interface Sample {
  raw: string
  from: string
  expected: 'ticket_opened' | 'message_added'
}

/** The first of each person opens a ticket; later ones answer it, or name somebody else's. */
function sample(number: number, series: string): Sample {
  const thread = threadMails[number % threadMails.length]!
  const own = number % 10 === 9
  const strange = number % 20 === 4
  const forged = number % 20 === 13
  const person = own ? number - 9 : forged ? number - 3 : number
  const from = `${series}${person}@field.example`
  const named =
    own || forged ? `<${series}${person}@field.example>` : strange ? `<${series}${number - 4}@field.example>` : null
  const raw = [
    `Authentication-Results: ${judge}; dmarc=${forged ? 'none' : 'pass'} header.from=field.example`,
    `From: Person ${person} <${from}>`,
    'To: aide@moulin.example',
    `Subject: ${named ? 'Re: ' : ''}Question ${series}${number}`,
    `Date: ${new Date(1_790_000_000_000 + number * 1_000).toUTCString()}`,
    `Message-ID: <${series}${number}@field.example>`,
    ...(named ? [`In-Reply-To: ${named}`] : []),
    'MIME-Version: 1.0',
    'Content-Type: multipart/alternative; boundary="=b"',
    '',
    '--=b',
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: 8bit',
    '',
    `${number}. ${thread.text}`,
    '--=b',
    'Content-Type: text/html; charset=utf-8',
    'Content-Transfer-Encoding: 8bit',
    '',
    `<p>${number}.</p>${thread.html ?? `<p>${thread.expected.replaceAll('<', '&lt;')}</p>`}`,
    '--=b--',
    '',
  ].join('\r\n')
  return { raw: raw.replaceAll(/\r?\n/g, '\r\n'), from, expected: own ? 'message_added' : 'ticket_opened' }
}

async function speed(): Promise<Line[]> {
  const samples = Array.from({ length: mails }, (_, number) => sample(number, 'a'))
  const parseStartedAt = performance.now()
  for (const { raw } of samples) await PostalMime.parse(raw)
  const parsing = mails / ((performance.now() - parseStartedAt) / 1_000)

  await using rig = await startRig({
    MAIL_IN_PORT: String(mailPort),
    MAIL_IN_HOST: '127.0.0.1',
    MAIL_IN_TRUSTED_SERVER: judge,
  })
  await rig.call('POST', '/tickets/mailboxes', {
    address: 'aide@moulin.example',
    name: 'Moulin',
    auto_acknowledge: false,
  })
  await rig.startWorker()
  const handled = async (): Promise<number> => {
    const { rows } = await rig.sql.query<{ count: number }>(
      `select count(*)::int as count from platform.inbound_mails where state in ('handled', 'ignored')`,
    )
    return rows[0]!.count
  }

  const startedAt = performance.now()
  await sendAll(samples, Infinity)
  const acceptedRate = mails / ((performance.now() - startedAt) / 1_000)
  await until(async () => (await handled()) >= mails, 1_200_000, 200)
  const rate = mails / ((performance.now() - startedAt) / 1_000)

  const { rows: outcomes } = await rig.sql.query<{ message_id: string; outcome: string }>(
    'select message_id, outcome from platform.inbound_mails',
  )
  const byId = new Map(outcomes.map(({ message_id, outcome }) => [message_id, outcome]))
  const named = samples.map((each, number) => ({ ...each, number })).filter(({ raw }) => raw.includes('In-Reply-To'))
  const right = named.filter(({ number, expected }) => byId.get(`<a${number}@field.example>`) === expected)

  await sendAll(
    Array.from({ length: steady }, (_, number) => sample(number, 'b')),
    rate / 2,
  )
  await until(async () => (await handled()) >= mails + steady, 1_200_000, 200)
  const { rows } = await rig.sql.query<{ p50: number; p95: number }>(
    `select percentile_cont(0.5) within group (order by s) as p50, percentile_cont(0.95) within group (order by s) as p95
     from (select extract(epoch from handled_at - received_at)::float8 as s from platform.inbound_mails
       where message_id like '<b%') as t`,
  )
  return [
    { what: `answers in the right thread (${named.length})`, unit: '', values: [right.length / named.length] },
    { what: 'parsing alone', unit: 'mails/s', values: [parsing] },
    { what: 'taken in by SMTP', unit: 'mails/s', values: [acceptedRate] },
    { what: 'SMTP to tickets', unit: 'mails/s', values: [rate] },
    {
      what: 'SMTP to tickets, as a share of parsing alone',
      unit: '×',
      values: [rate / parsing],
      aim: { atLeast: 0.4 },
    },
    { what: 'from kept to ticket at half that rate, median', unit: 's', values: [rows[0]!.p50] },
    { what: 'from kept to ticket at half that rate, p95', unit: 's', values: [rows[0]!.p95], aim: { atMost: 2 } },
  ]
}

/** Several connections, one mail after the other on each, no faster together than `perSecond`. */
async function sendAll(samples: Sample[], perSecond: number): Promise<void> {
  const transport = nodemailer.createTransport({
    host: '127.0.0.1',
    port: mailPort,
    ignoreTLS: true,
    pool: true,
    maxConnections: connections,
    maxMessages: Infinity,
  })
  const startedAt = performance.now()
  let next = 0
  const lanes = Array.from({ length: connections }, async () => {
    for (let at = next++; at < samples.length; at = next++) {
      const due = startedAt + (at / perSecond) * 1_000
      if (due > performance.now()) await pause(due - performance.now())
      const { raw, from } = samples[at]!
      await transport.sendMail({ raw, envelope: { from, to: 'aide@moulin.example' } })
    }
  })
  await Promise.all(lanes)
  transport.close()
}
