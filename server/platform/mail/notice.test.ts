import { expect, test } from 'vitest'
import { buildMail } from './build.ts'
import { composeNotice, type NoticeLanguage } from './notice.ts'

const from = { address: 'rapport@moulin.example', name: 'Rapport' }
const to = { address: 'maria@moulin.example', name: 'Maria' }

test.each<[NoticeLanguage, string]>([
  ['en', 'If the button does not work'],
  ['fr', 'Si le bouton ne fonctionne pas'],
  ['ro', 'Dacă butonul nu funcționează'],
])('a notice in %s says the same in text and in HTML', (language, hint) => {
  const button = { label: 'Ouvrir', url: 'https://rapport.example/page#token=abc' }
  const mail = composeNotice({
    language,
    from,
    to,
    subject: 'Bonjour',
    paragraphs: ['Un.', 'Deux.'],
    button,
    footer: 'Fin.',
  })
  for (const part of ['Un.', 'Deux.', 'Ouvrir', button.url, 'Fin.']) {
    expect(mail.text).toContain(part)
    expect(mail.html).toContain(part)
  }
  expect(mail.html).toContain(`<html lang="${language}">`)
  expect(mail.html).toContain(hint)
  expect(mail.messageId).toMatch(/^<[\w-]+@moulin\.example>$/)
  expect(mail.headers['Auto-Submitted']).toBe('auto-generated')
})

test('what people typed is text, never markup', () => {
  const paragraphs = ['<img src=x onerror=alert(1)> & "more"']
  const button = { label: '<b>', url: 'https://rapport.example/?a="><script>' }
  const { html } = composeNotice({ language: 'en', from, to, subject: '</title><script>', paragraphs, button })
  expect(html).not.toMatch(/<script|<img|<b>/)
  expect(html).toContain('&lt;img src=x onerror=alert(1)&gt; &amp; &quot;more&quot;')
})

test('a line break in the subject never becomes a header', async () => {
  const mail = composeNotice({ language: 'en', from, to, subject: 'Hi\r\nBcc: all@moulin.example', paragraphs: ['x'] })
  await expect(buildMail(mail)).rejects.toThrow('subject')
})
