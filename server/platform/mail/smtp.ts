// The SMTP transport: builds, signs and hands over through the pool.
import { buildMail } from './build.ts'
import type { MailTransport } from './mail.ts'
import type { SmtpSettings } from './smtp-connection.ts'
import { createSmtpPool } from './smtp-pool.ts'

/** Many calls of `send` may run at once; those beyond the number of connections wait, with their message in memory. */
export function createSmtpTransport(settings: SmtpSettings): MailTransport {
  const pool = createSmtpPool(settings)
  return {
    async send(message) {
      const { raw, envelope } = await buildMail(message)
      return pool.deliver(raw, envelope)
    },
    verify: () => pool.verify(),
    close: () => pool.close(),
  }
}

/** Reads `smtp://user:password@host:587`, `smtps://host`, `smtp://host:25?tls=require`; null when it is none. */
export function parseSmtpUrl(text: string): SmtpSettings | null {
  const url = URL.parse(text)
  if (!url || (url.protocol !== 'smtp:' && url.protocol !== 'smtps:') || url.hostname === '') return null
  const isImplicit = url.protocol === 'smtps:'
  const tls = url.searchParams.get('tls') ?? (isImplicit ? 'implicit' : 'auto')
  if (tls !== 'implicit' && tls !== 'require' && tls !== 'auto' && tls !== 'none') return null
  const user = decodeURIComponent(url.username)
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port ? Number(url.port) : isImplicit ? 465 : 587,
    tls,
    ...(user ? { auth: { user, password: decodeURIComponent(url.password) } } : {}),
  }
}
