// DKIM signatures (RFC 6376), relaxed/simple: our bodies are quoted-printable without trailing spaces, so the simple form
// of a body survives what relays do, and costs one hash. RSA is computed in the thread pool, beside other messages.
import { createHash, createPrivateKey, sign, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import type { HeaderLine } from './build.ts'
import type { DkimKey } from './mail.ts'

const signAside = promisify(sign) as (algorithm: string | null, data: Uint8Array, key: KeyObject) => Promise<Buffer>

// Both List-Unsubscribe headers must be covered, or mailbox providers ignore one-click unsubscription (RFC 8058).
const SIGNED = `from to reply-to subject date message-id mime-version content-type content-transfer-encoding
  list-unsubscribe list-unsubscribe-post list-id list-help feedback-id in-reply-to references auto-submitted`.split(
  /\s+/,
)
// Named once more than they occur: nobody on the way can add a second one.
const OVERSIGNED = ['from', 'to', 'subject', 'date']

/** Reads a PEM private key (RSA of 2048 bits or more, or Ed25519) once, so that messages do not parse it again. */
export function readDkimKey(options: { domain: string; selector: string; privateKey: string }): DkimKey {
  const { domain, selector, privateKey } = options
  if (!/^[a-z0-9.-]+$/i.test(domain) || !/^[a-z0-9._-]+$/i.test(selector))
    throw new Error('Not a DKIM domain and selector.')
  const key = createPrivateKey(privateKey)
  const isStrongRsa = key.asymmetricKeyType === 'rsa' && (key.asymmetricKeyDetails?.modulusLength ?? 0) >= 2048
  if (!isStrongRsa && key.asymmetricKeyType !== 'ed25519') {
    throw new Error('A DKIM key must be RSA with at least 2048 bits, or Ed25519.')
  }
  return { domain, selector, key }
}

/** The DKIM-Signature header line, without its line end. `body` must end in exactly one CRLF. */
export async function signDkim(
  { domain, selector, key }: DkimKey,
  headers: HeaderLine[],
  body: Buffer,
): Promise<string> {
  const isRsa = key.asymmetricKeyType === 'rsa'
  const byName = new Map(headers.map(([name, value]) => [name.toLowerCase(), value]))
  const present = SIGNED.filter((name) => byName.has(name))
  const tags = [
    'v=1',
    `a=${isRsa ? 'rsa' : 'ed25519'}-sha256`,
    'c=relaxed/simple',
    `d=${domain}`,
    `s=${selector}`,
    `h=${[...present, ...OVERSIGNED].join(':')}`,
    `bh=${createHash('sha256').update(body).digest('base64')}`,
    'b=',
  ].join('; ')
  const signedText = present.map((name) => `${name}:${relax(byName.get(name) ?? '')}\r\n`).join('')
  const data = Buffer.from(`${signedText}dkim-signature:${relax(tags)}`, 'latin1')
  const signature = isRsa
    ? await signAside('sha256', data, key)
    : await signAside(null, createHash('sha256').update(data).digest(), key)
  return `DKIM-Signature: ${tags}${signature.toString('base64')}`
}

function relax(value: string): string {
  return value
    .replaceAll('\r\n', '')
    .replace(/[ \t]+/g, ' ')
    .trim()
}
