/** A mailbox over IMAP; its library is loaded only where one is configured. */
import { ImapFlow } from 'imapflow'
import type { RemoteBox } from './imap-door.ts'

export interface ImapAccount {
  host: string
  port: number
  /** TLS from the first byte; otherwise STARTTLS, without which no password is sent but to this machine. */
  implicitTls: boolean
  user: string
  password: string
  folder: string
}

/** Reads `imaps://user:password@host:993/INBOX`. */
export function parseImapUrl(text: string): ImapAccount {
  const url = new URL(text)
  const implicitTls = url.protocol === 'imaps:'
  return {
    host: url.hostname,
    port: Number(url.port) || (implicitTls ? 993 : 143),
    implicitTls,
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    folder: decodeURIComponent(url.pathname.slice(1)) || 'INBOX',
  }
}

export async function openImapBox(account: ImapAccount): Promise<RemoteBox> {
  const isLocal = ['localhost', '127.0.0.1', '::1'].includes(account.host)
  const client = new ImapFlow({
    host: account.host,
    port: account.port,
    secure: account.implicitTls,
    ...(account.implicitTls || isLocal ? {} : { doSTARTTLS: true }),
    auth: { user: account.user, pass: account.password },
    logger: false,
    connectionTimeout: 30_000,
    greetingTimeout: 30_000,
    socketTimeout: 120_000,
  })
  // Without a listener, a connection that breaks while nothing is asked would end the process.
  client.on('error', () => {})
  await client.connect()
  await client.mailboxOpen(account.folder)

  async function part(uid: number, query: { headers: true } | { source: true }): Promise<Buffer> {
    const message = await client.fetchOne(String(uid), { uid: true, ...query }, { uid: true })
    const content = message ? ('headers' in query ? message.headers : message.source) : undefined
    if (!content) throw new Error('the mail is no longer in the mailbox')
    return content
  }

  return {
    async unseen(most) {
      const uids = (await client.search({ seen: false }, { uid: true })) || []
      const wanted = uids.toSorted((one, other) => one - other).slice(0, most)
      if (!wanted.length) return []
      const found: { uid: number; sizeBytes: number }[] = []
      for await (const { uid, size } of client.fetch(wanted.join(','), { uid: true, size: true }, { uid: true })) {
        found.push({ uid, sizeBytes: size ?? 0 })
      }
      return found
    },
    head: (uid) => part(uid, { headers: true }),
    source: (uid) => part(uid, { source: true }),
    markSeen: async (uid) => void (await client.messageFlagsAdd(String(uid), ['\\Seen'], { uid: true })),
    flag: async (uid) => void (await client.messageFlagsAdd(String(uid), ['\\Flagged'], { uid: true })),
    close: () => client.logout(),
  }
}
