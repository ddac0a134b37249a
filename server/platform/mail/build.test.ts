import { generateKeyPairSync } from 'node:crypto'
import { dkimVerify } from 'mailauth/lib/dkim/verify.js'
import PostalMime from 'postal-mime'
import { describe, expect, test } from 'vitest'
import { normalizeAddress, parseMailbox } from './address.ts'
import { buildMail } from './build.ts'
import { readDkimKey } from './dkim.ts'
import { encodeQuotedPrintable } from './encode.ts'
import { MailRefused, type OutgoingMail } from './mail.ts'

const unsubscribe = `<https://moulin.example/u/${'a'.repeat(200)}>, <mailto:unsubscribe@moulin.example?subject=${'b'.repeat(80)}>`
const mail: OutgoingMail = {
  from: { address: 'noreply@moulin.example', name: 'Le Vieux Moulin, "chez Zoé"' },
  to: { address: 'Ștefan@bücher.example'.replace('Ștefan', 'stefan'), name: 'Ștefan Țuțea' },
  replyTo: { address: 'salut@moulin.example' },
  subject: 'Bonjour Ștefan, votre tarte aux mirabelles 🥧 vous attend au Vieux Moulin ce samedi',
  text: 'Bonjour,\n.\nFrom us to you \nÀ bientôt = ici\n'.repeat(40),
  html: `<p>Bonjour Ștefan</p>${'<p>très long '.repeat(200)}</p>`,
  headers: {
    'List-Unsubscribe': unsubscribe,
    'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
    'List-Id': '<news.moulin.example>',
    'Feedback-ID': 'c1:moulin:news:rapport',
  },
  messageId: '<01890c1a.c7@moulin.example>',
  date: new Date('2026-11-21T08:00:00Z'),
}

test('an independent parser reads back what was written', async () => {
  const { raw, envelope } = await buildMail(mail)
  expect(envelope).toEqual({ from: 'noreply@moulin.example', to: 'stefan@xn--bcher-kva.example' })
  const parsed = await PostalMime.parse(raw)
  expect(parsed.subject).toBe(mail.subject)
  expect(parsed.from).toMatchObject({ name: mail.from.name, address: mail.from.address })
  expect(parsed.to?.[0]).toMatchObject({ name: 'Ștefan Țuțea', address: 'stefan@xn--bcher-kva.example' })
  expect(parsed.messageId).toBe(mail.messageId)
  expect(parsed.text?.trimEnd()).toBe(mail.text.trimEnd())
  expect(parsed.html?.trimEnd()).toBe(mail.html)
})

test('the same mail is the same bytes, in ASCII lines of legal length', async () => {
  const first = (await buildMail(mail)).raw
  expect((await buildMail({ ...mail })).raw.equals(first)).toBe(true)
  const text = first.toString('latin1')
  expect(text).toMatch(/^[\t\r\n\x20-\x7e]*$/)
  expect(text.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/)
  expect(Math.max(...text.split('\r\n').map((line) => line.length))).toBeLessThanOrEqual(998)
  expect(text).toContain(`\r\nList-Unsubscribe: ${unsubscribe}\r\n`)
})

test('what relays alter is escaped, and no line is longer than 76', () => {
  const encoded = encodeQuotedPrintable(
    `From here\n.\n..\nend \n\ttab\t\n${'é'.repeat(100)}\n${'x'.repeat(76)}\n${'y'.repeat(77)}\n\n\n`,
  )
  const lines = encoded.toString('latin1').split('\r\n')
  expect(lines.slice(0, 5)).toEqual(['=46rom here', '=2E', '..', 'end=20', '\ttab=09'])
  expect(Math.max(...lines.map((line) => line.length))).toBe(76)
  expect(lines).toContain('x'.repeat(76))
  expect(encoded.subarray(-4).toString()).toMatch(/[^\n]\r\n$/)
  expect(encodeQuotedPrintable('').toString()).toBe('\r\n')
})

describe('files in a mail', () => {
  const pdf = Uint8Array.from({ length: 5_000 }, (_, index) => (index * 7) % 256)
  const attachments = [
    { name: 'Rapport mensuel – ștefan été 🥧.pdf', type: 'application/pdf', content: pdf },
    { name: 'plain.csv', type: 'text/csv', content: Buffer.from('a,b\r\n1,2\r\n') },
    { name: '../..\\evil\r\nX: y"\u202egpj.exe', type: 'text/plain', content: new Uint8Array() },
    { name: 'é'.repeat(200), type: 'text/plain', content: Buffer.from('--=_\r\n') },
  ]

  test.each([true, false])('arrive byte for byte under their names (with html: %s)', async (withHtml) => {
    const { html, ...bare } = mail
    const { raw } = await buildMail({ ...bare, ...(withHtml ? { html } : {}), attachments })
    const parsed = await PostalMime.parse(raw)
    expect(parsed.text?.trimEnd()).toBe(mail.text.trimEnd())
    if (withHtml) expect(parsed.html?.trimEnd()).toBe(html)
    expect(parsed.attachments.map(({ filename, mimeType }) => [filename, mimeType])).toEqual([
      ['Rapport mensuel – ștefan été 🥧.pdf', 'application/pdf'],
      ['plain.csv', 'text/csv'],
      ['_.._evilX_ y_gpj.exe', 'text/plain'],
      ['é'.repeat(150), 'text/plain'],
    ])
    for (const [index, { content }] of parsed.attachments.entries())
      expect(Buffer.from(content as ArrayBuffer).equals(attachments[index]!.content)).toBe(true)
    const lines = raw.toString('latin1').split('\r\n')
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(998)
    expect(raw.toString('latin1')).toMatch(/^[\t\r\n\x20-\x7e]*$/)
  })

  test('what is too large, or no type, is refused', async () => {
    const huge = { name: 'x', type: 'text/csv', content: new Uint8Array(10_000_001) }
    await expect(buildMail({ ...mail, attachments: [huge] })).rejects.toThrow(/10 MB/)
    const odd = { name: 'x', type: 'text/csv\r\nX: y', content: new Uint8Array() }
    await expect(buildMail({ ...mail, attachments: [odd] })).rejects.toThrow(MailRefused)
  })
})

const injection = 'x\r\nBcc: victim@other.example'
test.each<[string, Partial<OutgoingMail>]>([
  ['subject', { subject: injection }],
  ['subject', { subject: 'a\nb' }],
  ['subject', { subject: 'a\u0000b' }],
  ['from.name', { from: { address: 'a@b.example', name: injection } }],
  ['to.name', { to: { address: 'a@b.example', name: injection } }],
  ['replyTo.name', { replyTo: { address: 'a@b.example', name: injection } }],
  ['replyTo', { replyTo: { address: `a@b.example${injection}` } }],
  ['to', { to: { address: 'a@b.example, c@d.example' } }],
  ['to', { to: { address: 'a@b.example>\r\nRCPT TO:<c@d.example' } }],
  ['from', { from: { address: 'a@b.example\r\nX: y' }, envelopeFrom: 'a@b.example' }],
  ['envelopeFrom', { envelopeFrom: 'a@b.example> SIZE=1\r\nRCPT TO:<c@d.example' }],
  ['messageId', { messageId: '<a@b>\r\nX: y' }],
  ['headers.X-Shop', { headers: { 'X-Shop': injection } }],
  ['headers.X--Bcc-', { headers: { 'X\r\nBcc:': 'a' } }],
  ['headers.Bcc', { headers: { Bcc: 'victim@other.example' } }],
  ['headers.to', { headers: { to: 'victim@other.example' } }],
  ['headers.Content-Type', { headers: { 'Content-Type': 'text/html' } }],
  ['headers.X-Long', { headers: { 'X-Long': 'u'.repeat(1000) } }],
])('%s cannot carry anything else: %j', async (field, change) => {
  const error = await buildMail({ ...mail, ...change }).catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(MailRefused)
  expect((error as MailRefused).field.replaceAll('?', '-')).toBe(field)
})

describe('addresses', () => {
  test.each([
    ['maria@moulin.example', 'maria@moulin.example'],
    ["O'Neil+news@Moulin.Example", "O'Neil+news@moulin.example"],
    ['x@bücher.example', 'x@xn--bcher-kva.example'],
    ['root@localhost', 'root@localhost'],
  ])('%s is written to as %s', (text, address) => expect(normalizeAddress(text)).toBe(address))

  test.each([
    '',
    'a',
    '@b.example',
    'a@',
    'a@b',
    'a b@c.example',
    '"a@evil.com x"@ok.example',
    'u@ok.com(x)evil.com',
    'a..b@c.example',
    '.a@c.example',
    'a@c..example',
    'a@-c.example',
    'a@[127.0.0.1]',
    'a@127.0.0.1',
    'a@b.example,c@d.example',
    'a@b.example\n',
    'a@b.example>',
    '<a@b.example>',
    'a@b%2eexample',
    'a@b.example:25',
    'ș@b.example',
    `${'a'.repeat(65)}@b.example`,
    `a@${'b.'.repeat(130)}example`,
    'a@b@c.example',
    `(${'c'.repeat(100_000)})a@b.example`,
    '=?utf-8?q?a=40b?=@c.example ',
  ])('%s is not written to', (text) => expect(normalizeAddress(text)).toBeNull())

  test('settings may carry names', () => {
    expect(parseMailbox('Le Moulin <a@b.example>')).toEqual({ name: 'Le Moulin', address: 'a@b.example' })
    expect(parseMailbox('"Moulin, \\"le\\"" <a@b.example>')).toEqual({ name: 'Moulin, "le"', address: 'a@b.example' })
    expect(parseMailbox('a@b.example')).toEqual({ address: 'a@b.example' })
    expect(parseMailbox('Moulin <a@b.example> x')).toBeNull()
    expect(parseMailbox('a@b.example, <c@d.example>')).toBeNull()
  })
})

describe.each(['rsa', 'ed25519'] as const)('a DKIM signature by %s', (kind) => {
  const pair = kind === 'rsa' ? generateKeyPairSync('rsa', { modulusLength: 2048 }) : generateKeyPairSync('ed25519')
  const spki = pair.publicKey.export({ type: 'spki', format: 'der' })
  const published = `v=DKIM1; k=${kind}; p=${(kind === 'rsa' ? spki : spki.subarray(-32)).toString('base64')}`
  const dkim = readDkimKey({
    domain: 'moulin.example',
    selector: 's1',
    privateKey: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  })
  const resolver = (name: string) =>
    name === 's1._domainkey.moulin.example' ? Promise.resolve([[published]]) : Promise.reject(new Error(name))

  async function verdict(raw: Buffer | string) {
    const { results } = await dkimVerify(Buffer.from(raw), { resolver, sender: 'noreply@moulin.example' })
    return results.map((result) => result.status.result)
  }

  test('is accepted by another implementation and covers one-click unsubscription', async () => {
    const { raw } = await buildMail({ ...mail, dkim })
    expect(await verdict(raw)).toEqual(['pass'])
    const covered = / h=([^;]+);/.exec(raw.toString('latin1'))?.[1]?.split(':')
    expect(covered).toEqual(
      expect.arrayContaining(['list-unsubscribe', 'list-unsubscribe-post', 'from', 'subject', 'to']),
    )
    const attachments = [{ name: 'été.pdf', type: 'application/pdf', content: Buffer.from('%PDF') }]
    expect(await verdict((await buildMail({ ...mail, attachments, dkim })).raw)).toEqual(['pass'])
    expect(await verdict((await buildMail({ ...mail, html: undefined, text: '', headers: {}, dkim })).raw)).toEqual([
      'pass',
    ])
  })

  test('breaks when anything it covers is changed or added', async () => {
    const text = (await buildMail({ ...mail, dkim })).raw.toString('latin1')
    for (const altered of [
      text.replace('One-Click', 'Two-Click'),
      text.replace('moulin.example/u/a', 'moulin.example/u/b'),
      text.replace('Subject:', 'Subject: other\r\nSubject:'),
      text.replace('Bonjour', 'Bonsoir'),
    ]) {
      expect(altered).not.toBe(text)
      expect(await verdict(altered)).not.toEqual(['pass'])
    }
  })
})

test('weak keys are refused', () => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 })
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  expect(() => readDkimKey({ domain: 'a.example', selector: 's', privateKey: pem })).toThrow(/2048/)
})
