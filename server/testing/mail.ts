/** Reads what the program wrote to people. */
import { expect } from 'vitest'
import type { SentMail } from './start.ts'

/** The token in the fragment of the link to that page. */
export function linkToken(mail: SentMail | undefined, page: string): string {
  const text = decodeQuotedPrintable(mail?.raw ?? '')
  const token = new RegExp(`/${page}#token=([\\w.-]+)`).exec(text)?.[1]
  expect(token, `a link to ${page} in the mail`).toBeDefined()
  return token ?? ''
}

export function decodeQuotedPrintable(raw: string): string {
  const bytes = raw
    .replace(/=\r?\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return Buffer.from(bytes, 'latin1').toString('utf8')
}
