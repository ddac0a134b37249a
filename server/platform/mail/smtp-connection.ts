// One SMTP connection: settings, how it is opened, secured and signed in.
import { connect, type Socket } from 'node:net'
import SMTPConnection, { type SMTPConnectionOptions } from 'nodemailer/lib/smtp-connection'
import type { AddressGuard } from '#platform/outbound/addresses.ts'

export type SmtpSettings = {
  host: string
  port: number
  /** `implicit`: TLS from the first byte. `require`: STARTTLS or nothing. `auto`: STARTTLS where offered. */
  tls: 'implicit' | 'require' | 'auto' | 'none'
  auth?: { user: string; password: string } | undefined
  /** The name that we greet with; receivers compare it with the reverse DNS of our address. */
  hostname?: string | undefined
  connections?: number | undefined
  messagesPerConnection?: number | undefined
  connectTimeoutMs?: number | undefined
  /** Longest silence of the server. RFC 5321 asks for 10 minutes after the final dot, because it may be scanning. */
  replyTimeoutMs?: number | undefined
  idleTimeoutMs?: number | undefined
  closeTimeoutMs?: number | undefined
  /** For certificates of one's own authority. */
  certificateAuthority?: string | undefined
  /** Set for servers that a customer names: private addresses are then refused. */
  guard?: AddressGuard | undefined
}

/** What nodemailer adds to an error: the reply, where there was one, and the command that it answered. */
export type SmtpError = Error & { code?: string; responseCode?: number; response?: string; command?: string }

/** A connected and signed-in connection, or the error. Its later errors reach whoever sends on it. */
export async function openConnection(settings: SmtpSettings): Promise<SMTPConnection | SmtpError> {
  try {
    const socket = settings.guard ? await openGuarded(settings, settings.guard) : null
    const connection = new SMTPConnection({ ...toOptions(settings), ...(socket ? { connection: socket } : {}) })
    return await new Promise((resolve) => {
      const fail = (error: unknown) => {
        // In this order: closing announces the end, which would answer with less.
        resolve(error as SmtpError)
        connection.close()
      }
      connection.on('error', fail)
      connection.once('end', () => fail(new Error('the server closed the connection')))
      connection.connect((error) => {
        if (error) return fail(error)
        const { auth } = settings
        if (!auth) return resolve(connection)
        // An account whose server offers no AUTH would send unauthenticated, and be refused later for odder reasons.
        if (!connection.allowsAuth) return fail(new Error('the server offers no sign-in'))
        connection.login({ user: auth.user, credentials: { user: auth.user, pass: auth.password } }, (loginError) =>
          loginError ? fail(loginError) : resolve(connection),
        )
      })
    })
  } catch (error) {
    return error as SmtpError
  }
}

function openGuarded(settings: SmtpSettings, guard: AddressGuard): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const refused = guard.checkHost(settings.host)
    if (refused) return reject(new Error(refused))
    const socket = connect({ host: settings.host, port: settings.port, lookup: guard.lookup })
    socket.setTimeout(settings.connectTimeoutMs ?? 30_000, () => socket.destroy(new Error('connecting took too long')))
    socket.once('error', reject)
    socket.once('connect', () => {
      socket.setTimeout(0).removeAllListeners('timeout')
      socket.off('error', reject)
      resolve(socket)
    })
  })
}

function toOptions(settings: SmtpSettings): SMTPConnectionOptions {
  const { host, port, tls, auth, hostname, connectTimeoutMs = 30_000, replyTimeoutMs = 600_000 } = settings
  const isLocal = host === 'localhost' || host === '127.0.0.1' || host === '::1'
  return {
    host,
    port,
    secure: tls === 'implicit',
    // A password never travels in the clear to another machine because a STARTTLS line was stripped on the way.
    requireTLS: tls === 'require' || (tls === 'auto' && auth !== undefined && !isLocal),
    ignoreTLS: tls === 'none',
    connectionTimeout: connectTimeoutMs,
    greetingTimeout: connectTimeoutMs,
    socketTimeout: replyTimeoutMs,
    socketCloseTimeout: 1000,
    ...(hostname ? { name: hostname } : {}),
    ...(settings.certificateAuthority ? { tls: { ca: settings.certificateAuthority } } : {}),
  }
}
