/** A browser with the web application open: keeps the session's cookie and sends the CSRF token that the server gave. */
import { hashPassword } from '#platform/crypto/passwords.ts'
import type { TestApp, TestReply } from './start.ts'

export interface Browser {
  /** `__Host-rapport=…`, or null when signed out. */
  cookie: string | null
  csrfToken: string | null
  send(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<TestReply>
  signIn(email: string, password: string, totp?: string): Promise<TestReply>
}

export function openBrowser(app: TestApp, userAgent = 'Firefox/140'): Browser {
  const browser: Browser = {
    cookie: null,
    csrfToken: null,
    async send(method, path, body, headers = {}) {
      const reply = await app.anonymous.request(method, path, body, {
        'user-agent': userAgent,
        ...(browser.cookie ? { cookie: browser.cookie } : {}),
        ...(browser.csrfToken ? { 'x-csrf-token': browser.csrfToken } : {}),
        ...headers,
      })
      const set = [reply.headers['set-cookie'] ?? []].flat().map(String)
      for (const line of set) browser.cookie = line.includes('Max-Age=0') ? null : (line.split(';')[0] ?? null)
      if ('csrf_token' in reply.body) browser.csrfToken = reply.body.csrf_token
      return reply
    },
    signIn: (email, password, totp) => browser.send('POST', '/session', { email, password, ...(totp ? { totp } : {}) }),
  }
  return browser
}

/** Lets a person of the world sign in here; the world's people come with tokens otherwise. */
export async function givePassword(app: TestApp, person: { id: string }, password: string): Promise<void> {
  const hash = await hashPassword(password)
  await app.inTx((tx) =>
    tx.sql.updateTable('accounts.users').set({ password_hash: hash }).where('id', '=', person.id).execute(),
  )
}
