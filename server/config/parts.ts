/** The parts that several variables make together: each is whole, or absent (null), or refused by name. */
import { demandWhole } from './read.ts'
import type { Service } from './services.ts'
import type { Values } from './variables.ts'

const postgresNames = ['pgsql', 'postgres', 'postgresql']

/** Null: the built-in PostgreSQL. */
export function toDatabase(values: Values, problems: string[]) {
  const kind = values.DB_CONNECTION
  if (kind && !postgresNames.includes(kind.toLowerCase())) {
    problems.push(
      `DB_CONNECTION is "${kind}", but Rapport runs on PostgreSQL only: set it to pgsql, or remove the DB_* variables for the built-in PostgreSQL.`,
    )
  }
  const inParts = demandWhole(values, problems, {
    any: ['DB_HOST', 'DB_DATABASE', 'DB_USERNAME', 'DB_PASSWORD', 'DB_PORT'],
    need: ['DB_HOST', 'DB_DATABASE', 'DB_USERNAME'],
    or: 'give the whole address in DATABASE_URL, or remove the DB_* variables for the built-in PostgreSQL',
  })
  const given = {
    DATABASE_URL: values.DATABASE_URL,
    DB_CONNECTION_STRING: values.DB_CONNECTION_STRING,
    'DB_HOST and its family': inParts ? databaseUrl(values) : null,
  }
  const named = Object.entries(given).filter(([, url]) => url !== null)
  if (new Set(named.map(([, url]) => url)).size > 1) {
    problems.push(`${named.map(([name]) => name).join(' and ')} name different databases: keep one.`)
  }
  const url = named[0]?.[1]
  return url ? { url } : null
}

function databaseUrl(values: Values) {
  const [user, password] = [values.DB_USERNAME ?? '', values.DB_PASSWORD ?? ''].map(encodeURIComponent)
  const address = `${values.DB_HOST}:${values.DB_PORT ?? 5432}`
  return `postgresql://${user}${password && `:${password}`}@${address}/${encodeURIComponent(values.DB_DATABASE ?? '')}`
}

/** Null: events stay inside. An absent exchange or queue takes the name that the document of the service has. */
export function toRabbitmq(values: Values, problems: string[], service: Service | null) {
  const { RABBITMQ_URL, RABBITMQ_HOST } = values
  const exchange = values.RABBITMQ_EXCHANGE ?? service?.exchange ?? null
  const queue = values.RABBITMQ_QUEUE ?? service?.queue ?? null
  if (RABBITMQ_URL && RABBITMQ_HOST) problems.push('RABBITMQ_URL and RABBITMQ_HOST are both set: keep one.')
  if (RABBITMQ_URL) return { url: RABBITMQ_URL, exchange, queue }
  const whole = demandWhole(values, problems, {
    any: [
      'RABBITMQ_HOST',
      'RABBITMQ_PORT',
      'RABBITMQ_USER',
      'RABBITMQ_PASSWORD',
      'RABBITMQ_VHOST',
      'RABBITMQ_EXCHANGE',
      'RABBITMQ_QUEUE',
    ],
    need:
      values.RABBITMQ_USER || values.RABBITMQ_PASSWORD
        ? ['RABBITMQ_HOST', 'RABBITMQ_USER', 'RABBITMQ_PASSWORD']
        : ['RABBITMQ_HOST'],
    or: 'give the whole address in RABBITMQ_URL, or remove the RABBITMQ_* variables to run without RabbitMQ',
  })
  if (!whole) return null
  const [user, password] = [values.RABBITMQ_USER ?? 'guest', values.RABBITMQ_PASSWORD ?? 'guest'].map(
    encodeURIComponent,
  )
  const vhost = encodeURIComponent(values.RABBITMQ_VHOST ?? '/')
  const url = `amqp://${user}:${password}@${RABBITMQ_HOST}:${values.RABBITMQ_PORT ?? 5672}/${vhost}`
  return { url, exchange, queue }
}

/** Null: files lie in the data folder. */
export function toS3(values: Values, problems: string[]) {
  const whole = demandWhole(values, problems, {
    any: [
      'MINIO_ENDPOINT',
      'MINIO_PUBLIC_ENDPOINT',
      'MINIO_ACCESS_KEY',
      'MINIO_SECRET_KEY',
      'MINIO_BUCKET',
      'MINIO_REGION',
    ],
    need: ['MINIO_ENDPOINT', 'MINIO_ACCESS_KEY', 'MINIO_SECRET_KEY'],
    or: 'remove the MINIO_* variables to keep files in DATA_DIR',
  })
  const { MINIO_ENDPOINT: endpoint, MINIO_ACCESS_KEY: accessKey, MINIO_SECRET_KEY: secretKey } = values
  if (!whole || endpoint === null || accessKey === null || secretKey === null) return null
  return {
    endpoint,
    publicEndpoint: values.MINIO_PUBLIC_ENDPOINT ?? endpoint,
    accessKey,
    secretKey,
    bucket: values.MINIO_BUCKET ?? 'rapport',
    region: values.MINIO_REGION ?? 'us-east-1',
  }
}

/** Null: mails go out unsigned. */
export function toDkim(values: Values, problems: string[]) {
  const names = ['DKIM_DOMAIN', 'DKIM_SELECTOR', 'DKIM_PRIVATE_KEY'] as const
  const whole = demandWhole(values, problems, {
    any: [...names],
    need: [...names],
    or: 'remove the DKIM_* variables to send unsigned (the key may also come as DKIM_PRIVATE_KEY_FILE)',
  })
  const { DKIM_DOMAIN: domain, DKIM_SELECTOR: selector, DKIM_PRIVATE_KEY: key } = values
  if (!whole || domain === null || selector === null || key === null) return null
  const privateKey = key.replaceAll('\\n', '\n')
  if (!privateKey.includes('PRIVATE KEY'))
    problems.push('DKIM_PRIVATE_KEY must be a private key in PEM (-----BEGIN PRIVATE KEY----- …).')
  return { domain, selector, privateKey }
}

/** Each door is null where it is not configured; both may be open. */
export function toMailIn(values: Values, problems: string[]) {
  const names = ['MAIL_IN_TLS_CERTIFICATE', 'MAIL_IN_TLS_KEY'] as const
  const secured = demandWhole(values, problems, {
    any: [...names],
    need: [...names],
    or: 'remove both to take mail without STARTTLS (the key may also come as MAIL_IN_TLS_KEY_FILE)',
  })
  const { MAIL_IN_TLS_CERTIFICATE: certificate, MAIL_IN_TLS_KEY: key, MAIL_IN_PORT: port, IMAP_URL: imapUrl } = values
  const lines = (pem: string): string => pem.replaceAll('\\n', '\n')
  const tls = secured && certificate && key ? { certificate: lines(certificate), key: lines(key) } : null
  if (imapUrl && !URL.parse(imapUrl)?.username) {
    problems.push(
      'IMAP_URL needs a user: write imaps://user:password@host:993/INBOX, with % codes for special characters.',
    )
  }
  return {
    smtp:
      port === null
        ? null
        : {
            port,
            host: values.MAIL_IN_HOST,
            protocol: values.MAIL_IN_PROTOCOL,
            connectionsMax: values.MAIL_IN_CONNECTIONS,
            tls,
          },
    imap: imapUrl ? { url: imapUrl, pollMs: values.IMAP_POLL_SECONDS * 1_000 } : null,
    sizeBytesMax: values.MAIL_IN_SIZE_MAX_MB * 1_000_000,
    trustedServer: values.MAIL_IN_TRUSTED_SERVER,
  }
}
