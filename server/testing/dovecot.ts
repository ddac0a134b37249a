/**
 * A real IMAP server for tests: Dovecot with a configuration of its own, on ports of its own, one account in a Maildir, all of
 * it in a folder that goes with it. Mail comes in by LMTP, as from a mail server, or straight into the Maildir.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import path from 'node:path'
import { ImapFlow } from 'imapflow'
import SMTPConnection from 'nodemailer/lib/smtp-connection'
import { vi } from 'vitest'
import { makeCertificate } from './certificate.ts'
import { freePorts } from './free-ports.ts'

const program = '/usr/sbin/dovecot'

/** Whether tests may start one; says why not. */
export function hasDovecot(): boolean {
  const isThere = existsSync(program) && existsSync('/usr/lib/dovecot/imap') && existsSync('/usr/lib/dovecot/lmtp')
  if (!isThere) console.warn('Skipped: Dovecot is not installed here (dovecot-imapd and dovecot-lmtpd).')
  return isThere
}

export interface Dovecot extends AsyncDisposable {
  user: string
  password: string
  imapPort: number
  imapsPort: number
  /** Whom TLS clients have to trust. */
  certificate: string
  /** `imap://…` of the account; `folder` as a person writes it. */
  url(folder?: string): string
  /** By LMTP, one connection for all; `to` is what the mail server in front was asked for. */
  deliver(to: string, ...raws: string[]): Promise<void>
  /** Straight into a folder, as a copying program would: fast. Answers the file. */
  drop(raw: string, folder: string): string
  /** What the account may do in a folder, in letters of RFC 4314. */
  allow(folder: string, rights: string): void
  /** Runs as the account's own mail program. */
  visit<T>(run: (client: ImapFlow) => Promise<T>): Promise<T>
  /** Ends it and all its processes at once. */
  kill(): Promise<void>
  /** It lives, and says nothing any more, until it is killed. */
  freeze(): void
  start(): Promise<void>
}

export async function startDovecot({
  tls = 'offered',
  idle = true,
}: { tls?: 'offered' | 'required' | 'none'; idle?: boolean } = {}): Promise<Dovecot> {
  const folder = mkdtempSync(path.join(tmpdir(), 'dovecot-'))
  const { certificate, key } = makeCertificate()
  const [imapPort, imapsPort, lmtpPort] = await freePorts(3)
  const user = 'box'
  const password = 'p%ss wörd"\\'
  const isRoot = process.getuid?.() === 0
  // Started by root, it reads mail as somebody lesser: it refuses to do so as root.
  const owner = isRoot ? { uid: 8, gid: 8 } : userInfo()
  const home = path.join(folder, 'home')
  mkdirSync(home)
  chownSync(home, owner.uid, owner.gid)
  // Its processes run as several users.
  chmodSync(folder, 0o755)
  const write = (name: string, text: string) => writeFileSync(path.join(folder, name), text, { mode: 0o644 })
  write('users', `${user}:{PLAIN}${password}:${owner.uid}:${owner.gid}::${home}::\n`)
  write('certificate.pem', certificate)
  write('key.pem', key)
  write('dovecot.conf', configuration())

  let running: ChildProcess | undefined

  function configuration(): string {
    return `
base_dir = ${folder}/run
state_dir = ${folder}/state
log_path = ${folder}/log
protocols = imap lmtp
listen = 127.0.0.1, 127.0.0.2
ssl = ${{ offered: 'yes', required: 'required', none: 'no' }[tls]}
ssl_cert = <${folder}/certificate.pem
ssl_key = <${folder}/key.pem
disable_plaintext_auth = ${tls === 'required' ? 'yes' : 'no'}
auth_mechanisms = plain login
auth_username_format = %Ln
auth_failure_delay = 0
first_valid_uid = 1
mail_location = maildir:~/Maildir
mail_plugins = acl
${idle ? '' : 'imap_capability = IMAP4rev1 LITERAL+ SASL-IR UIDPLUS ENABLE'}
plugin {
  acl = vfile
}
recipient_delimiter = +
${isRoot ? '' : `default_internal_user = ${userInfo().username}\ndefault_login_user = ${userInfo().username}\ndefault_internal_group =`}
passdb {
  driver = passwd-file
  args = scheme=PLAIN ${folder}/users
}
userdb {
  driver = passwd-file
  args = ${folder}/users
}
service imap-login {
  chroot =
  inet_listener imap {
    port = ${imapPort}
  }
  inet_listener imaps {
    port = ${tls === 'none' ? 0 : imapsPort}
    ssl = yes
  }
}
service anvil {
  chroot =
  # No waiting after wrong passwords.
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service stats {
  chroot =
}
service lmtp {
  inet_listener lmtp {
    address = 127.0.0.1
    port = ${lmtpPort}
  }
}
`
  }

  async function start(): Promise<void> {
    // A group of its own, so that all of it can be ended at once.
    running = spawn(program, ['-F', '-c', path.join(folder, 'dovecot.conf')], { detached: true, stdio: 'ignore' })
    try {
      await vi.waitFor(() => visit(async () => {}), { timeout: 20_000, interval: 50 })
    } catch (error) {
      await kill()
      const log = existsSync(`${folder}/log`) ? readFileSync(`${folder}/log`, 'utf8').slice(-2_000) : 'no log'
      throw new Error(`Dovecot does not start: ${log}`, { cause: error })
    }
  }

  async function kill(): Promise<void> {
    const child = running
    running = undefined
    if (!child?.pid || child.exitCode !== null || child.signalCode) return
    const ended = once(child, 'exit')
    process.kill(-child.pid, 'SIGKILL')
    await ended
  }

  async function visit<T>(run: (client: ImapFlow) => Promise<T>): Promise<T> {
    const client = new ImapFlow({
      host: '127.0.0.1',
      port: tls === 'none' ? imapPort! : imapsPort!,
      secure: tls !== 'none',
      tls: { ca: certificate },
      auth: { user, pass: password },
      logger: false,
    })
    client.on('error', () => {})
    try {
      await client.connect()
      return await run(client)
    } finally {
      client.close()
    }
  }

  async function deliver(to: string, ...raws: string[]): Promise<void> {
    const connection = new SMTPConnection({ host: '127.0.0.1', port: lmtpPort!, lmtp: true, ignoreTLS: true })
    const failed = new Promise<never>((_, reject) => connection.once('error', reject))
    failed.catch(() => {})
    await Promise.race([new Promise<void>((resolve) => connection.connect(() => resolve())), failed])
    for (const raw of raws) {
      const sent = new Promise<void>((resolve, reject) => {
        const envelope = { from: 'jonas@field.example', to: [to] }
        connection.send(envelope, raw, (error) => (error ? reject(error) : resolve()))
      })
      await Promise.race([sent, failed])
    }
    connection.close()
  }

  let dropped = 0
  const placeOf = (name: string) => path.join(home, 'Maildir', name === 'INBOX' ? '' : `.${toMailboxName(name)}`)

  /** Oldest first: Dovecot numbers new mails by the names of their files. */
  function drop(raw: string, name: string): string {
    const file = path.join(placeOf(name), 'cur', `${1_700_000_000 + dropped++}.test:2,`)
    writeFileSync(file, raw)
    chownSync(file, owner.uid, owner.gid)
    return file
  }

  function allow(name: string, rights: string): void {
    const file = path.join(placeOf(name), 'dovecot-acl')
    writeFileSync(file, `owner ${rights}\n`)
    chownSync(file, owner.uid, owner.gid)
  }

  await start()
  return {
    user,
    password,
    imapPort: imapPort!,
    imapsPort: imapsPort!,
    certificate,
    url: (place = 'INBOX') =>
      `imap://${user}:${encodeURIComponent(password)}@127.0.0.1:${imapPort}/${encodeURIComponent(place)}`,
    deliver,
    drop,
    allow,
    visit,
    kill,
    freeze: () => process.kill(-running!.pid!, 'SIGSTOP'),
    start,
    async [Symbol.asyncDispose]() {
      await kill()
      rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
    },
  }
}

/** Modified UTF-7 of RFC 3501: how servers have always kept the names of folders. */
function toMailboxName(name: string): string {
  return name.replaceAll('&', '&-').replaceAll(/[^\x20-\x7e]+/g, (letters) => {
    const text = Buffer.from(letters, 'utf16le').swap16().toString('base64')
    return `&${text.replaceAll('/', ',').replaceAll('=', '')}-`
  })
}
