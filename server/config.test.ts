import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { ConfigError, readEnv, toConfig } from './config.ts'
import { keepSecretKey } from './config/secret-key.ts'

const folder = mkdtempSync(join(tmpdir(), 'rapport-config-'))
afterAll(() => rmSync(folder, { recursive: true }))

const goodKey = 'correct horse battery staple, twice over'

test('the empty environment is a valid one', () => {
  const config = toConfig({})
  expect(config.warnings).toEqual([])
  expect(config.http).toMatchObject({ host: 'localhost', port: 3000, publicUrl: 'http://localhost:3000' })
  const { database, rabbitmq, redis, s3, smtp, dkim } = config
  expect({ database, rabbitmq, redis, s3, smtp, dkim }).toEqual({
    database: null,
    rabbitmq: null,
    redis: null,
    s3: null,
    smtp: null,
    dkim: null,
  })
})

describe('what each document sets becomes', () => {
  const bucket = { MINIO_ENDPOINT: 'http://minio:9000', MINIO_ACCESS_KEY: 'admin', MINIO_SECRET_KEY: 'x' }
  const cases: [string, Record<string, string>, object][] = [
    ['a port', { APP_PORT: '8008' }, { http: { port: 8008, publicUrl: 'http://localhost:8008' } }],
    ['PORT before APP_PORT', { APP_PORT: '8008', PORT: '0' }, { http: { port: 0 } }],
    [
      'a database in parts',
      { DB_CONNECTION: 'pgsql', DB_HOST: 'db', DB_DATABASE: 'contacts', DB_USERNAME: 'me', DB_PASSWORD: 'p@ss/w' },
      { database: { url: 'postgresql://me:p%40ss%2Fw@db:5432/contacts' } },
    ],
    [
      'a database by its other name',
      { DB_CONNECTION_STRING: 'postgresql://user:password@db:5432/communication' },
      { database: { url: 'postgresql://user:password@db:5432/communication' } },
    ],
    [
      'RabbitMQ in parts',
      { RABBITMQ_HOST: 'mq', RABBITMQ_VHOST: '/', RABBITMQ_EXCHANGE: 'contacts_exchange' },
      { rabbitmq: { url: 'amqp://guest:guest@mq:5672/%2F', exchange: 'contacts_exchange', queue: null } },
    ],
    [
      'file storage',
      { MINIO_ENDPOINT: 'http://minio:9000', MINIO_ACCESS_KEY: 'admin', MINIO_SECRET_KEY: 'x', MINIO_BUCKET: 'sav' },
      { s3: { endpoint: 'http://minio:9000', accessKey: 'admin', secretKey: 'x', bucket: 'sav', region: 'us-east-1' } },
    ],
    ['a scanner', { CLAMD_URL: 'tcp://scanner:3310' }, { scan: { url: 'tcp://scanner:3310' } }],
    ['a scanner by its file', { CLAMD_URL: 'unix:///run/c.ctl' }, { scan: { url: 'unix:///run/c.ctl' } }],
    [
      'file storage that browsers reach elsewhere',
      { ...bucket, MINIO_PUBLIC_ENDPOINT: 'https://files.example' },
      { s3: { endpoint: 'http://minio:9000', publicEndpoint: 'https://files.example', bucket: 'rapport' } },
    ],
    ['file storage that they reach there', bucket, { s3: { publicEndpoint: 'http://minio:9000' } }],
    ['weights', { ENGAGEMENT_SCORE_OPEN_WEIGHT: '1.5' }, { engagement: { openWeight: 1.5, clickWeight: 3 } }],
    ['a rate', { CUSTOMER_PATCH_RATE: '100/hour' }, { limits: { customerPatch: { max: 100, windowSeconds: 3600 } } }],
    ['a log level in capitals', { LOG_LEVEL: 'DEBUG' }, { app: { logLevel: 'debug' } }],
    ['a list', { CORS_ORIGINS: 'https://a.example, *' }, { http: { corsOrigins: ['https://a.example', '*'] } }],
    ['a switch', { OUTBOUND_ALLOW_LOOPBACK: 'true' }, { workers: { outboundAllowLoopback: true } }],
    ['nothing, when empty', { REDIS_URL: '', DB_HOST: ' ' }, { redis: null, database: null }],
    ['a mail server', { SMTP_URL: 'smtp://u:p@mail:587' }, { smtp: { url: 'smtp://u:p@mail:587' } }],
    [
      'a DKIM key on one line',
      { DKIM_DOMAIN: 'a.example', DKIM_SELECTOR: 's', DKIM_PRIVATE_KEY: '-----BEGIN PRIVATE KEY-----\\nMII' },
      { dkim: { domain: 'a.example', selector: 's', privateKey: '-----BEGIN PRIVATE KEY-----\nMII' } },
    ],
  ]
  test.each(cases)('%s', (_, env, expected) => expect(toConfig(env)).toMatchObject(expected))
})

describe('refused by name, with the way out', () => {
  const cases: [Record<string, string>, RegExp][] = [
    [{ PORT: 'abc' }, /^PORT must be a whole number from 0 to 65535, not "abc"\.$/],
    [{ PORT: '70000' }, /^PORT must be/],
    [{ DB_HOST: 'db' }, /^DB_HOST needs DB_DATABASE and DB_USERNAME as well: .*DATABASE_URL/],
    [{ DB_PASSWORD: 'x' }, /^DB_PASSWORD needs DB_HOST/],
    [{ DB_CONNECTION: 'mysql' }, /^DB_CONNECTION is "mysql", but Rapport runs on PostgreSQL only/],
    [{ CLAMD_URL: 'unix://run/clamd.ctl' }, /^CLAMD_URL must be an address like tcp:/],
    [{ CLAMD_URL: 'tcp:///run/clamd.ctl' }, /^CLAMD_URL must be an address like tcp:/],
    [{ DATABASE_URL: 'mysql://me:hunter2@db/x' }, /^DATABASE_URL must be an address like postgres:/],
    [
      { DATABASE_URL: 'postgres://a/x', DB_CONNECTION_STRING: 'postgres://b/x' },
      /^DATABASE_URL and DB_CONNECTION_STRING name different databases/,
    ],
    [{ MINIO_ENDPOINT: 'http://minio:9000' }, /^MINIO_ENDPOINT needs MINIO_ACCESS_KEY and MINIO_SECRET_KEY/],
    [{ RABBITMQ_QUEUE: 'contacts_queue' }, /^RABBITMQ_QUEUE needs RABBITMQ_HOST as well/],
    [{ RABBITMQ_HOST: 'mq', RABBITMQ_USER: 'me' }, /^RABBITMQ_HOST needs RABBITMQ_PASSWORD as well/],
    [{ DKIM_DOMAIN: 'a.example' }, /^DKIM_DOMAIN needs DKIM_SELECTOR and DKIM_PRIVATE_KEY/],
    [{ TRUSTED_PROXIES: '10.0.0.0/8, proxy' }, /^TRUSTED_PROXIES holds "proxy"/],
    [{ CORS_ORIGINS: 'https://a.example/path' }, /^CORS_ORIGINS holds "https:\/\/a.example\/path"/],
    [{ PUBLIC_URL: 'https://a.example/rapport' }, /^PUBLIC_URL must be scheme, host and port alone/],
    [{ CUSTOMER_PATCH_RATE: '0/minute' }, /^CUSTOMER_PATCH_RATE must be a rate like/],
    [{ APP_ENV: 'prod' }, /^APP_ENV must be one of production, staging/],
    [{ OUTBOUND_ALLOW_LOOPBACK: 'maybe' }, /^OUTBOUND_ALLOW_LOOPBACK must be true or false/],
  ]
  test.each(cases)('%j', (env, problem) => expect(problemsOf(env)).toEqual([expect.stringMatching(problem)]))

  test('all problems at once', () => {
    expect(problemsOf({ PORT: 'x', MINIO_ENDPOINT: 'http://m', SMTP_URL: 'mail' })).toHaveLength(3)
  })

  test('no secret is quoted', () => {
    const problems = problemsOf({ DATABASE_URL: 'hunter2', SMTP_URL: 'ftp://u:hunter2@h', SECRET_KEY: 'hunter2' })
    expect(problems).toHaveLength(3)
    expect(problems.join()).not.toContain('hunter2')
  })
})

describe('the secret key', () => {
  const weak = [
    'supersecretkey',
    'changeme',
    'secret',
    'your-secret-key',
    'Super_Secret_Key!!',
    'short',
    '',
    'x'.repeat(64),
  ]
  test.each(weak)('"%s" is refused in production, and warned of in development', (SECRET_KEY) => {
    expect(problemsOf({ SECRET_KEY })).toEqual([expect.stringMatching(/^SECRET_KEY is/)])
    expect(problemsOf({ SECRET_KEY, APP_ENV: 'staging' })).toHaveLength(1)
    expect(toConfig({ SECRET_KEY, APP_ENV: 'local' }).warnings).toEqual([expect.stringMatching(/^SECRET_KEY is/)])
  })

  test('a long one is taken as it is', () => {
    expect(toConfig({ SECRET_KEY: goodKey }).auth.secretKey).toBe(goodKey)
  })

  test('several copies need one that is given', () => {
    expect(toConfig({ DATABASE_URL: 'postgres://db/x' }).warnings[0]).toContain('SECRET_KEY is not set')
  })

  test('is made once when none is given, for its owner alone', () => {
    const dataDir = join(folder, 'data')
    const key = keepSecretKey(dataDir)
    expect(Buffer.byteLength(key)).toBeGreaterThanOrEqual(32)
    expect(keepSecretKey(dataDir)).toBe(key)
    expect(statSync(join(dataDir, 'secret.key')).mode & 0o777).toBe(0o600)
    expect(readFileSync(join(dataDir, 'secret.key'), 'utf8').trim()).toBe(key)
  })
})

describe('a name that is nearly ours', () => {
  const cases: [string, string | null][] = [
    ['RABBITMQ_HSOT', 'RABBITMQ_HOST'],
    ['DATABSE_URL', 'DATABASE_URL'],
    ['MINIO_ACCES_KEY', 'MINIO_ACCESS_KEY'],
    ['RABBITMQ_COLOUR', 'RABBITMQ_'],
    ['PATH', null],
    ['HOME', null],
    ['POSTGRES_HOME', null],
    ['SMTP_URL_FILE', null],
  ]
  test.each(cases)('%s → %s', (name, meant) => {
    const { warnings } = toConfig({ [name]: '1' })
    expect(warnings).toEqual(meant ? [expect.stringContaining(`Is ${meant}`)] : [])
  })
})

describe('the environment', () => {
  test('wins over the .env file', () => {
    const file = join(folder, '.env')
    writeFileSync(file, 'PORT=1\nAPP_NAME="Le Vieux Moulin" # ours\n')
    expect(readEnv({ PORT: '2' }, file)).toMatchObject({ PORT: '2', APP_NAME: 'Le Vieux Moulin' })
  })

  test('names files for secrets, and says when one cannot be read', () => {
    const file = join(folder, 'key')
    writeFileSync(file, `${goodKey}\n`)
    expect(toConfig(readEnv({ SECRET_KEY_FILE: file }, '')).auth.secretKey).toBe(goodKey)
    expect(() => readEnv({ SECRET_KEY_FILE: join(folder, 'none') }, '')).toThrow('SECRET_KEY_FILE names')
  })
})

function problemsOf(env: Record<string, string>): string[] {
  try {
    toConfig(env)
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
}
