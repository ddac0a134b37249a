/** What sort of mail it is, and what reports say, over the invented corpus. */
import { describe, expect, test } from 'vitest'
import { labelledHeads, ownMark } from '#testing/mails/labelled-heads.ts'
import { complaintAbout, labelledReports, returnedId } from '#testing/mails/reports.ts'
import { classifyBounce } from './bounce-kind.ts'
import { headerOf, readHeaderBlock } from './header-block.ts'
import { classifyMail, mayAnswer } from './kind.ts'
import { readMail } from './read-mail.ts'
import { originalIds, readComplaint, readDeliveryReport } from './report.ts'

describe('sorts of mail', () => {
  test('the corpus is large enough, and each name is there once', () => {
    expect(labelledHeads.length).toBeGreaterThanOrEqual(120)
    expect(new Set(labelledHeads.map(({ name }) => name)).size).toBe(labelledHeads.length)
  })

  test.each(labelledHeads.map((head) => [head.name, head] as const))('%s', (_, head) => {
    const headers = readHeaderBlock(head.lines.join('\r\n'))
    const { kind, subject, envelopeFrom } = head
    const found = classifyMail({
      headers,
      subject,
      from: head.from.toLowerCase(),
      envelopeFrom,
      ownMarks: [ownMark],
    })
    expect(found).toBe(kind)
    expect(mayAnswer(found)).toBe(kind === 'person')
  })
})

describe('delivery reports', () => {
  test.each(labelledReports.map((report) => [report.name, report] as const))('%s', async (_, { kind, raw }) => {
    const mail = await readMail(Buffer.from(raw))
    const report = readDeliveryReport(mail.reportParts, mail.text)
    expect(report.recipients).toHaveLength(1)
    expect(report.recipients[0]!.address).toBe('jonas@field.example')
    expect(classifyBounce(report.recipients[0]!)).toBe(kind)
    if (raw.includes(returnedId)) expect(originalIds(report.original)).toEqual([returnedId])
  })

  test('a complaint names the mail that it is about', async () => {
    const mail = await readMail(Buffer.from(complaintAbout('From: a@b.example\nFeedback-ID: x:y:z:rapport')))
    const complaint = readComplaint(mail.reportParts)
    expect(complaint?.feedbackType).toBe('abuse')
    expect(headerOf(complaint!.original, 'feedback-id')).toBe('x:y:z:rapport')
    expect(readComplaint([{ type: 'message/rfc822', text: 'From: a' }])).toBeNull()
  })
})
