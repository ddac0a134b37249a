/** A mailbox over IMAP; its library is loaded only where one is configured. */
import { ImapFlow, type FetchMessageObject, type FetchQueryObject } from 'imapflow'
import { earOf, renewalMs } from './imap-ear.ts'
import { MailboxTrouble, type RemoteBox } from './remote-box.ts'

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
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port) || (implicitTls ? 993 : 143),
    implicitTls,
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    folder: decodeURIComponent(url.pathname.slice(1)) || 'INBOX',
  }
}

const connectTimeoutMs = 30_000
const silenceMs = 120_000
const farewellMs = 5_000

/** Throws MailboxTrouble where somebody has to mend something. */
export async function openImapBox(account: ImapAccount, idleMs = renewalMs): Promise<RemoteBox> {
  const isLocal = ['localhost', '127.0.0.1', '::1'].includes(account.host)
  const client = new ImapFlow({
    host: account.host,
    port: account.port,
    secure: account.implicitTls,
    // Nobody listens in on this machine, where certificates seldom are anybody's but the server's own.
    ...(account.implicitTls ? {} : { doSTARTTLS: !isLocal }),
    auth: { user: account.user, pass: account.password },
    logger: false,
    connectionTimeout: connectTimeoutMs,
    greetingTimeout: connectTimeoutMs,
    socketTimeout: silenceMs,
    disableAutoIdle: true,
    maxIdleTime: idleMs,
  })
  // Without a listener, a connection that breaks while nothing is asked would end the process.
  client.on('error', () => {})
  try {
    await client.connect()
    const numbering = await openFolder(client, account.folder)
    return boxOf(client, numbering)
  } catch (error) {
    client.close()
    throw plain(error, account)
  }
}

/** Answers what the server's numbers of mails hold good for. */
async function openFolder(client: ImapFlow, folder: string): Promise<string> {
  const mailbox = await client.mailboxOpen(folder).catch(async (error: unknown) => {
    const there = client.usable ? (await client.list()).map(({ path }) => path) : []
    if (!there.length || there.includes(folder)) throw error
    throw new MailboxTrouble(
      'no_folder',
      `The mailbox has no folder “${folder}”. The log names those that it has; put one of them into IMAP_URL.`,
      new Error(`the folders are ${there.slice(0, 50).join(', ')}`),
    )
  })
  const { readOnly, permanentFlags } = mailbox
  if (readOnly || (permanentFlags && !permanentFlags.has('\\Seen') && !permanentFlags.has('\\*')))
    throw new MailboxTrouble(
      'read_only',
      'The account of IMAP_URL may not mark mails as seen in this folder, so each would come again and again. Let it write there.',
    )
  return `${mailbox.path} ${mailbox.uidValidity}`
}

function boxOf(client: ImapFlow, numbering: string): RemoteBox {
  async function ask(uid: number, query: FetchQueryObject): Promise<FetchMessageObject> {
    const message = await client.fetchOne(String(uid), { uid: true, ...query }, { uid: true })
    if (!message) throw new Error('the mail is no longer in the mailbox')
    return message
  }

  const ear = earOf(client)

  async function mark(uid: number, flag: string): Promise<void> {
    if (!(await client.messageFlagsAdd(String(uid), [flag], { uid: true })))
      throw new Error(`the mail could not be marked as ${flag}`)
  }

  return {
    numbering,
    isOpen: () => client.usable,
    async unseen(most, except) {
      ear.forget()
      const uids = await client.search({ seen: false, deleted: false }, { uid: true })
      if (!uids) throw new Error('the server did not say which mails are unseen')
      return uids
        .filter((uid) => !except(uid))
        .toSorted((one, other) => one - other)
        .slice(0, most)
    },
    async head(uid) {
      const { headers, size } = await ask(uid, { headers: true, size: true })
      return { head: headers ?? Buffer.alloc(0), sizeBytes: size ?? 0 }
    },
    async source(uid) {
      const { source } = await ask(uid, { source: true })
      if (!source?.length) throw new Error('the server gave no content of the mail')
      return source
    },
    markSeen: (uid) => mark(uid, '\\Seen'),
    flag: (uid) => mark(uid, '\\Flagged'),
    listen: ear.listen,
    async close() {
      // Whoever does not answer is not waited for.
      const late = setTimeout(() => client.close(), farewellMs).unref()
      if (client.usable) await client.logout()
      clearTimeout(late)
      client.close()
    },
    cut: () => client.close(),
  }
}

interface ImapError {
  code?: string
  message: string
  authenticationFailed?: boolean
  tlsFailed?: boolean
  serverResponseCode?: string
  response?: unknown
}

const certificateCodes =
  /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_|CERT_|ERR_TLS_CERT_ALTNAME_INVALID)/
const silentCodes =
  /^(ECONNREFUSED|ECONNRESET|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|CONNECT_TIMEOUT|ClosedAfterConnect)/
const wrongTlsCodes = /^(GREETING_TIMEOUT|ERR_SSL_WRONG_VERSION_NUMBER|ERR_SSL_PACKET_LENGTH_TOO_LONG|EPROTO)/

/** In words for whoever runs Rapport; what nobody there can mend stays as it is. */
function plain(error: unknown, { implicitTls }: ImapAccount): unknown {
  if (error instanceof MailboxTrouble) return error
  const { code = '', message, authenticationFailed, tlsFailed, serverResponseCode, response } = error as ImapError
  if (certificateCodes.test(code))
    return new MailboxTrouble(
      'certificate',
      `The certificate of the mail server is not trusted (${code}). Name its authority's file in NODE_EXTRA_CA_CERTS, or use the name that the certificate is for.`,
      error,
    )
  // A server that waits for the other kind of beginning says nothing, or what is no TLS.
  if (wrongTlsCodes.test(code))
    return new MailboxTrouble(
      'wrong_tls',
      `The mail server does not speak as IMAP_URL says. Try ${implicitTls ? 'imap:// with port 143' : 'imaps:// with port 993'}.`,
      error,
    )
  if (silentCodes.test(code))
    return new MailboxTrouble(
      'unreachable',
      `The mail server does not answer (${code}). See whether IMAP_URL names the right host and port, and whether it runs.`,
      error,
    )
  if (tlsFailed)
    return new MailboxTrouble(
      'no_tls',
      'The mail server offers no STARTTLS, and no password is sent unprotected. Write imaps:// with its TLS port.',
      error,
    )
  if (serverResponseCode === 'PRIVACYREQUIRED' || /login is disabled/i.test(message))
    return new MailboxTrouble(
      'no_tls',
      'The mail server lets nobody sign in without TLS. Write imaps:// with its TLS port.',
      error,
    )
  if (authenticationFailed) {
    if (serverResponseCode === 'UNAVAILABLE') return error
    const said = typeof response === 'string' ? ` It said: ${response.replace(/^\S+ (NO|BAD) /, '').slice(0, 200)}` : ''
    return new MailboxTrouble(
      'refused',
      `The mail server refused the user or the password of IMAP_URL. Some providers ask for a password made for programs.${said}`,
      error,
    )
  }
  return error
}
