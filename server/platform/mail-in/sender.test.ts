/** Whether the domain of From vouches for a mail, judged on a DNS of the test's own. */
import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { buildMail } from '../mail/build.ts'
import { readHeaderBlock } from './header-block.ts'
import { judgeSender } from './sender.ts'

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const published = publicKey.export({ type: 'spki', format: 'der' }).toString('base64')
const records: Record<string, string> = {
  's1._domainkey.field.example': `v=DKIM1; k=rsa; p=${published}`,
  '_dmarc.field.example': 'v=DMARC1; p=reject; adkim=s',
  's1._domainkey.small.example': `v=DKIM1; k=rsa; p=${published}`,
  'posted.example': 'v=spf1 ip4:93.184.215.14 -all',
}

async function resolver(domain: string, type: string): Promise<string[][]> {
  const text = type === 'TXT' ? records[domain] : undefined
  if (text) return [[text]]
  throw Object.assign(new Error('not found'), { code: 'ENOTFOUND' })
}

async function mailFrom(address: string, isSigned: boolean, signer = 'field.example') {
  const { raw } = await buildMail({
    from: { address },
    to: { address: 'aide@moulin.example' },
    subject: 'Cup',
    text: 'Broken.',
    headers: {},
    messageId: '<1@field.example>',
    ...(isSigned ? { dkim: { domain: signer, selector: 's1', key: privateKey } } : {}),
  })
  const headers = readHeaderBlock(raw)
  return { raw, headers, envelopeFrom: address, client: { ip: '93.184.215.14', greeting: 'mx.field.example' } }
}

describe('the domain of the sender', () => {
  const options = { trustedServer: null, resolver }

  test('vouches by its signature, refuses what lacks it, and says nothing without a policy', async () => {
    expect(await judgeSender(await mailFrom('jonas@field.example', true), options)).toBe('pass')
    expect(await judgeSender(await mailFrom('jonas@field.example', false), options)).toBe('fail')
    expect(await judgeSender(await mailFrom('jonas@silent.example', false), options)).toBe('none')
  })

  test('without a policy, vouches by its own name alone on a signature or an envelope', async () => {
    expect(await judgeSender(await mailFrom('jonas@small.example', true, 'small.example'), options)).toBe('pass')
    expect(await judgeSender(await mailFrom('jonas@small.example', false), options)).toBe('none')
    expect(await judgeSender(await mailFrom('jonas@silent.example', true, 'small.example'), options)).toBe('none')
    expect(await judgeSender(await mailFrom('jonas@sub.small.example', true, 'small.example'), options)).toBe('none')
    const signed = await mailFrom('jonas@small.example', true, 'small.example')
    const raw = Buffer.from(signed.raw.toString('latin1').replace('Broken', 'Stolen'), 'latin1')
    expect(await judgeSender({ ...signed, raw }, options)).toBe('none')
    const posted = await mailFrom('jonas@posted.example', false)
    expect(await judgeSender(posted, options)).toBe('pass')
    const elsewhere = { ip: '93.184.215.15', greeting: 'mx.posted.example' }
    expect(await judgeSender({ ...posted, client: elsewhere }, options)).toBe('none')
    const other = await mailFrom('jonas@silent.example', false)
    expect(await judgeSender({ ...other, envelopeFrom: 'x@posted.example' }, options)).toBe('none')
  })

  test('a mail changed on the way is not vouched for', async () => {
    const mail = await mailFrom('jonas@field.example', true)
    const raw = Buffer.from(mail.raw.toString('latin1').replace('Broken', 'Stolen'), 'latin1')
    expect(await judgeSender({ ...mail, raw }, options)).toBe('fail')
  })

  test('a DNS that does not answer is nobody\u2019s verdict', async () => {
    const mail = await mailFrom('jonas@field.example', true)
    const never = () => new Promise<string[][]>(() => {})
    expect(await judgeSender(mail, { trustedServer: null, resolver: never, timeoutMs: 20 })).toBe('none')
  })

  test('a server of ours in front is believed, and only what it wrote first', async () => {
    const judge = (lines: string) =>
      judgeSender(
        { raw: Buffer.from(''), headers: readHeaderBlock(lines), envelopeFrom: null, client: null },
        { trustedServer: 'mx.moulin.example' },
      )
    expect(await judge('Authentication-Results: mx.moulin.example; spf=pass; dmarc=fail (p=REJECT)')).toBe('fail')
    expect(await judge('Authentication-Results: MX.moulin.example 1; dmarc=pass header.from=a.example')).toBe('pass')
    expect(
      await judge(
        'Authentication-Results: evil.example; dmarc=pass\r\nAuthentication-Results: mx.moulin.example; dmarc=pass',
      ),
    ).toBe('none')
    expect(await judge('Subject: x')).toBe('none')
    const from = 'Authentication-Results: mx.moulin.example; '
    expect(await judge(`${from}spf=pass smtp.mailfrom="x; dmarc=pass"@evil.example; dmarc=fail`)).toBe('fail')
    expect(await judge(`${from}spf=pass smtp.mailfrom="\\"; dmarc=pass; \\""@evil.example`)).toBe('none')
    expect(await judge(`${from}spf=pass (x (y; z); dmarc=pass) smtp.mailfrom=a@evil.example`)).toBe('none')
    expect(await judge(`${from}spf=pass smtp.mailfrom=x;dmarc=pass@evil.example; dmarc=none`)).toBe('none')
    expect(await judge(`${from}dmarc=pass (p=reject dis="none"); spf=pass`)).toBe('pass')
  })

  test('behind a relay of ours without a name, nobody can ask', async () => {
    const mail = await mailFrom('jonas@field.example', false)
    expect(await judgeSender({ ...mail, client: { ip: '10.0.0.1', greeting: 'relay' } }, options)).toBe('none')
    expect(await judgeSender({ ...mail, client: null }, options)).toBe('none')
  })
})
