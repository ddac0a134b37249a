/** The reply without its quotation, over the corpus of invented threads and by properties. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { threadMails } from '#testing/mails/threads.ts'
import { stripQuotedHtml } from './html.ts'
import { stripQuotedText } from './text.ts'

/** Blanks at the ends of lines and between paragraphs are the programs', not the person's. */
const plain = (text: string): string =>
  text
    .replaceAll('\u00a0', ' ')
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean)
    .join('\n')

describe('what is new in a reply', () => {
  test('there are enough of them, in four languages', () => {
    expect(threadMails.length).toBeGreaterThanOrEqual(60)
    expect(new Set(threadMails.map(({ language }) => language)).size).toBe(4)
    expect(new Set(threadMails.map(({ name }) => name)).size).toBe(threadMails.length)
  })

  test.each(threadMails.map((mail) => [mail.name, mail] as const))('in the text of %s', (_, mail) => {
    expect(plain(stripQuotedText(mail.text, mail.subject))).toBe(plain(mail.expected))
  })

  test.each(threadMails.filter(({ html }) => html).map((mail) => [mail.name, mail] as const))(
    'in the HTML of %s',
    (_, mail) => {
      const { html, text } = stripQuotedHtml(mail.html!, mail.subject)
      expect(plain(text)).toBe(plain(mail.expected))
      for (const word of ['aide+k3j9x', 'gmail_quote', 'divRplyFwdMsg']) expect(html).not.toContain(word)
    },
  )
})

describe('whatever comes', () => {
  const fragments = fc.constantFrom(
    'On Tue, Nov 3, 2026 at 10:12 AM A <a@b.example> wrote:',
    'From: a\nSent: b\nTo: c\nSubject: d',
    '> quoted',
    '>> deeper',
    '-----Original Message-----',
    '',
    '-- ',
    'Sent from my iPhone',
    'my own words',
  )
  test('something is left, none of it invented, and twice is once', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fragments, fc.string()), { maxLength: 12 }), (parts) => {
        const text = parts.join('\n')
        const once = stripQuotedText(text)
        expect(once.trim() === '').toBe(text.trim() === '')
        const lines = new Set(text.split(/\r\n?|\n/).map((line) => line.trim()))
        for (const line of once.split('\n')) expect(lines.has(line.trim())).toBe(true)
      }),
      { numRuns: 300 },
    )
  })

  test('a person\u2019s words above a quotation stay, in text and HTML', () => {
    const words = fc.stringMatching(/^[a-z]{2,9}( [a-z]{1,9}){0,6}$/)
    fc.assert(
      fc.property(fc.array(words, { minLength: 1, maxLength: 5 }), fc.array(words, { maxLength: 5 }), (own, theirs) => {
        const attribution = 'On Tue, Nov 3, 2026 at 10:12 AM A <a@b.example> wrote:'
        const text = `${own.join('\n')}\n\n${attribution}\n${theirs.map((line) => `> ${line}`).join('\n')}`
        expect(stripQuotedText(text)).toBe(own.join('\n'))
        const html = `<div>${own.join('<br>')}</div><div class="gmail_attr">${attribution.replace('<', '&lt;')}</div><blockquote>${theirs.join('<br>')}</blockquote>`
        expect(stripQuotedHtml(html).text).toBe(own.join('\n'))
      }),
      { numRuns: 200 },
    )
  })

  test.each([
    ['a megabyte of ">"', '>'.repeat(1_000_000)],
    ['a megabyte of blanks', ' '.repeat(1_000_000)],
    ['an endless attribution', `On ${'2026 10:12 '.repeat(100_000)}wrote`],
    ['many beginnings', 'On Tue, 3 Nov 2026 at 10:12\n'.repeat(20_000)],
    ['many labels', 'From: a\n'.repeat(20_000)],
  ])('%s ends', (_, text) => {
    expect(typeof stripQuotedText(text)).toBe('string')
    expect(typeof stripQuotedHtml(text).text).toBe('string')
  })
})

describe('HTML is safe to show', () => {
  test.each([
    '<scr<script>ipt>alert(1)</scr</script>ipt>',
    '<img src=x onerror=alert(1)>',
    '<svg><animate attributeName=href values=javascript:alert(1) /></svg>',
    '<a href="javascript:alert(1)">x</a>',
    '<a href="&#106;avascript:alert(1)">x</a>',
    '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">',
    '<style>@import url(https://evil.example/a.css)</style>',
    '<div style="position:fixed;background:url(https://evil.example)">x</div>',
    '<form action="https://evil.example"><input name=q></form>',
    '<iframe srcdoc="<script>alert(1)</script>"></iframe>',
    '<img src="/api/v1/auth/logout">',
    '<base href="https://evil.example/">',
    '<meta http-equiv=refresh content="0;url=https://evil.example">',
    '<a id="location" name="cookie">x</a>',
    '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
  ])('%s', (html) => {
    const shown = stripQuotedHtml(html).html
    const tags = [...shown.matchAll(/<([^>]*)>/g)].map(([, inside]) => inside!)
    for (const inside of tags) {
      expect(inside).toMatch(/^\/?[a-z0-9]+( (href="(https?|mailto|tel):[^"]*"|rel="[a-z ]+"|alt="[^"]*"))*( \/)?$/)
    }
  })
})
