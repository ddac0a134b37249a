import { expect, test } from 'vitest'
import { createLog, hideSecrets } from './log.ts'
import { createMetrics } from './metrics.ts'

function record() {
  const lines: string[] = []
  const log = createLog({ level: 'debug', destination: { write: (line) => void lines.push(line) } })
  return { log, lines }
}

test('no secret reaches the log, wherever it stands', () => {
  const { log, lines } = record()
  const secret = 'hunter2hunter2'
  log.info(
    {
      req: { headers: { authorization: `Bearer ${secret}`, cookie: `__Host-session=${secret}`, 'x-api-key': secret } },
    },
    'in',
  )
  log.info(
    { user: { password: secret, newPassword: secret, totpSecret: secret, resetToken: secret, pass: secret } },
    'fields',
  )
  log.info({ deep: { a: { b: { c: { accessToken: secret, list: [{ apiKey: secret }] } } } } }, 'deep')
  log.warn({ url: `https://x.example/hook?token=${secret}&a=1`, db: `postgres://rapport:${secret}@db/rapport` }, 'urls')
  log.error({ err: Object.assign(new Error(`cannot reach redis://:${secret}@cache`), { token: secret }) }, 'error')
  log.error(new Error('outer', { cause: new Error(`Authorization: Basic ${secret}`) }))
  log.info(`sent with Bearer ${secret}`)
  log.child({ session_id: secret }).child({ apiKey: secret }).info({ password: secret }, 'child')
  const text = lines.join('')
  expect(lines).toHaveLength(8)
  expect(text).not.toContain(secret)
  expect(text).toContain('postgres://rapport:[hidden]@db/rapport')
  expect(text).toContain('a=1')
})

test('children keep what their parents were given', () => {
  const { log, lines } = record()
  log.child({ workspace: 'w1' }).child({ requestId: 'r1' }).info('deep')
  expect(JSON.parse(lines[0]!)).toMatchObject({ workspace: 'w1', requestId: 'r1' })
})

test('requests are shown in short', () => {
  const { log, lines } = record()
  log.info(
    {
      req: { method: 'GET', url: '/a?token=abc&b=1', ip: '::1', headers: { cookie: 'x' } },
      res: { statusCode: 200, raw: {} },
    },
    'done',
  )
  expect(JSON.parse(lines[0]!)).toMatchObject({
    req: { method: 'GET', url: '/a?token=[hidden]&b=1', ip: '::1' },
    res: { statusCode: 200 },
  })
  expect(lines[0]).not.toMatch(/cookie|raw/)
})

test('what is not secret stays readable', () => {
  const { log, lines } = record()
  log.info(
    { contactId: 'c1', tokens: null, keyboard: 'azerty', passenger: 'ana', ms: 12 },
    'opened /contacts?search=key',
  )
  expect(JSON.parse(lines[0]!)).toMatchObject({
    level: 'info',
    msg: 'opened /contacts?search=key',
    contactId: 'c1',
    keyboard: 'azerty',
    passenger: 'ana',
    ms: 12,
  })
})

test('one event is one line, whatever it holds', () => {
  const { log, lines } = record()
  const nasty = 'a\r\n{"level":"info","msg":"forged"}\u001b[31m\u2028\u0000'
  log.info({ agent: nasty, [nasty]: 1 }, nasty)
  expect(lines).toHaveLength(1)
  // oxlint-disable-next-line no-control-regex
  expect(lines[0]!.slice(0, -1)).not.toMatch(/[\u0000-\u001f]/)
  expect((JSON.parse(lines[0]!) as { agent: string }).agent).toBe(nasty)
})

test('cycles, big things and odd values end', () => {
  const cycle: Record<string, unknown> = {
    big: 10n,
    bytes: Buffer.alloc(9),
    list: Array(5000).fill('x'),
    text: 'y'.repeat(100_000),
  }
  cycle.self = cycle
  const shown = JSON.stringify(hideSecrets(cycle))
  expect(shown).toContain('[9 bytes]')
  expect(shown).toContain('[deeper]')
  expect(shown.length).toBeLessThan(80_000)
})

test('metrics are exposed, and two registries do not mix', async () => {
  const [metrics, other] = [createMetrics(), createMetrics()]
  metrics.httpDuration.observe({ method: 'GET', route: '/contacts/:id', status: '200' }, 0.02)
  metrics.deliveries.inc({ channel: 'email', outcome: 'sent' }, 3)
  const pool = { total: 4, idle: 1, waiting: 2 }
  metrics.watchPool(() => pool)
  const { text, type } = await metrics.expose()
  expect(type).toMatch(/^text\/plain; version=0\.0\.4/)
  expect(text).toContain(
    'rapport_http_request_duration_seconds_count{method="GET",route="/contacts/:id",status="200"} 1',
  )
  expect(text).toContain('rapport_deliveries_total{channel="email",outcome="sent"} 3')
  expect(text).toContain('rapport_db_pool_connections{state="waiting"} 2')
  pool.waiting = 0
  expect((await metrics.expose()).text).toContain('rapport_db_pool_connections{state="waiting"} 0')
  expect((await other.expose()).text).not.toContain('channel="email"')
})
