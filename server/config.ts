/**
 * The only reader of the environment. `readEnv` gathers raw values, `toConfig` makes of them the typed tree that the
 * rest of the program sees. An absent part is null. The empty environment is a valid one.
 */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { parseEnv } from 'node:util'
import ipaddr from 'ipaddr.js'
import { parseRate } from './config/kinds.ts'
import { ConfigError, type Env, readValues, warnOfUnknown } from './config/read.ts'
import { toDatabase, toDkim, toMailIn, toRabbitmq, toS3 } from './config/parts.ts'
import { type ServiceName, toService } from './config/services.ts'
import { type Values, variables } from './config/variables.ts'

export { ConfigError } from './config/read.ts'

export const projectFolder = dirname(import.meta.dirname)

export type Config = ReturnType<typeof toConfig>

/** The process's environment, over the project's `.env` file, with each secret's NAME_FILE read into NAME. */
export function readEnv(environment: Env = process.env, envFile = join(projectFolder, '.env')): Env {
  const file = existsSync(envFile) ? parseEnv(readFileSync(envFile, 'utf8')) : {}
  const env: Env = { ...file, ...environment }
  const problems: string[] = []
  for (const [name, variable] of Object.entries(variables)) {
    const path = env[`${name}_FILE`]
    if (!path || !('secret' in variable && variable.secret)) continue
    try {
      env[name] ??= readFileSync(path, 'utf8').trimEnd()
    } catch {
      problems.push(`${name}_FILE names ${path}, which cannot be read.`)
    }
  }
  if (problems.length) throw new ConfigError(problems)
  return env
}

/** Throws a ConfigError that names every problem and how to mend it. Warnings are for the log. */
export function toConfig(env: Env, serviceName: ServiceName | null = null) {
  const problems: string[] = []
  const warnings = warnOfUnknown(env)
  const values = readValues(env, problems)
  const development = ['development', 'local', 'test'].includes(values.APP_ENV)
  const service = toService(serviceName)
  const port = values.PORT ?? values.APP_PORT ?? service?.port ?? 3000
  const database = toDatabase(values, problems)
  const secretKey = toSecretKey(env, values, development, problems, warnings)
  if (database && !secretKey) {
    warnings.push('SECRET_KEY is not set: each copy makes its own. Set it before you run a second copy.')
  }
  const config = {
    warnings,
    /** Null: all of Rapport, with its web application. */
    service,
    app: {
      name: values.APP_NAME,
      environment: values.APP_ENV,
      development,
      dataDir: resolve(projectFolder, values.DATA_DIR),
      logLevel: values.LOG_LEVEL,
      shutdownTimeoutMs: values.SHUTDOWN_TIMEOUT_SECONDS * 1000,
    },
    http: {
      host: values.HOST,
      port,
      publicUrl: toOrigin(values.PUBLIC_URL, problems) ?? `http://localhost:${port}`,
      corsOrigins: toCorsOrigins(values.CORS_ORIGINS, problems),
      trustedProxies: toTrustedProxies(values.TRUSTED_PROXIES, problems),
    },
    database,
    rabbitmq: toRabbitmq(values, problems, service),
    redis: values.REDIS_URL ? { url: values.REDIS_URL, prefix: values.REDIS_PREFIX } : null,
    s3: toS3(values, problems),
    scan: values.CLAMD_URL ? { url: values.CLAMD_URL } : null,
    smtp: values.SMTP_URL ? { url: values.SMTP_URL } : null,
    mail: { from: values.MAIL_FROM, fromName: values.MAIL_FROM_NAME ?? values.APP_NAME },
    dkim: toDkim(values, problems),
    mailIn: toMailIn(values, problems),
    auth: {
      secretKey,
      algorithm: values.ALGORITHM,
      accessTokenMinutes: values.ACCESS_TOKEN_EXPIRE_MINUTES,
      issuer: values.JWT_ISSUER,
      audience: values.JWT_AUDIENCE,
      authServiceUrl: values.AUTH_SERVICE_URL,
    },
    services: {
      ordersUrl: values.ORDERS_SERVICE_URL,
      schedulingUrl: values.SCHEDULING_SERVICE_URL,
      logUrl: values.LOG_SERVICE_URL,
      otlpUrl: values.OTEL_EXPORTER_OTLP_ENDPOINT,
    },
    engagement: {
      openWeight: values.ENGAGEMENT_SCORE_OPEN_WEIGHT,
      clickWeight: values.ENGAGEMENT_SCORE_CLICK_WEIGHT,
      purchaseWeight: values.ENGAGEMENT_SCORE_PURCHASE_WEIGHT,
    },
    tickets: {
      numberPrefix: values.TICKET_NUMBER_PREFIX,
      reopenWindowDays: values.REOPEN_WINDOW_DAYS,
      autoCloseDays: values.AUTO_CLOSE_RESOLVED_DAYS,
      escalationHours: values.ESCALATION_TIMEOUT_HOURS,
      autoAssign: values.AUTO_ASSIGN,
      attachmentSizeBytesMax: values.MAX_ATTACHMENT_SIZE_MB * 1_000_000,
      publicAccess: values.PUBLIC_TICKET_ACCESS,
      publicDays: values.PUBLIC_TICKET_DAYS,
    },
    limits: {
      requestsPerMinute: values.RATE_LIMIT_PER_MINUTE,
      customerPatch: parseRate(values.CUSTOMER_PATCH_RATE),
      uploadSizeBytesMax: values.UPLOAD_SIZE_MAX_MB * 1_000_000,
      databaseConnections: values.DATABASE_CONNECTIONS,
      slowQueryMs: values.SLOW_QUERY_MS,
    },
    workers: {
      concurrency: values.WORKER_CONCURRENCY,
      sendConnections: values.SEND_CONNECTIONS,
      /** Null: no limit. */
      sendRatePerSecond: values.SEND_RATE_PER_SECOND || null,
      sendRatePerDomainPerSecond: values.SEND_RATE_PER_DOMAIN_PER_SECOND || null,
      outboundAllowLoopback: values.OUTBOUND_ALLOW_LOOPBACK,
    },
  }
  if (problems.length) throw new ConfigError(problems)
  return config
}

// Keys from the documents' examples and from every tutorial. Whoever guesses one is an administrator.
const knownSecrets =
  /^(your[-_ ]?secret[-_ ]?key|super[-_ ]?secret([-_ ]?key)?|change[-_ ]?me|secret([-_ ]?key)?|password|admin|test|dev|default|example|rapport)[-_!.\d]*$/i

function toSecretKey(env: Env, values: Values, development: boolean, problems: string[], warnings: string[]) {
  const mend = 'Set it to the output of `openssl rand -base64 48`, or remove it to have one made.'
  const key = values.SECRET_KEY
  const complain = (text: string) => (development ? warnings : problems).push(text)
  if (env.SECRET_KEY?.trim() === '') complain(`SECRET_KEY is empty. ${mend}`)
  if (!key) return null
  if (knownSecrets.test(key) || new Set(key).size < 8) complain(`SECRET_KEY is a well-known or trivial value. ${mend}`)
  else if (Buffer.byteLength(key) < 32) complain(`SECRET_KEY is shorter than 32 bytes. ${mend}`)
  return key
}

function toOrigin(address: string | null, problems: string[]) {
  const parsed = address === null ? null : URL.parse(address)
  if (parsed && (parsed.pathname !== '/' || parsed.search || parsed.hash || parsed.username)) {
    problems.push('PUBLIC_URL must be scheme, host and port alone, like https://rapport.example.org.')
  }
  return parsed?.origin
}

function toCorsOrigins(origins: string[], problems: string[]) {
  for (const origin of origins) {
    if (origin === '*' || URL.parse(origin)?.origin === origin) continue
    problems.push(`CORS_ORIGINS holds "${origin}", which is no origin: write https://app.example.org, without a path.`)
  }
  return origins
}

function toTrustedProxies(proxies: string[], problems: string[]) {
  for (const proxy of proxies) {
    if (ipaddr.isValid(proxy) || ipaddr.isValidCIDR(proxy)) continue
    problems.push(`TRUSTED_PROXIES holds "${proxy}", which is no address or network: write 10.0.0.1 or 10.0.0.0/8.`)
  }
  return proxies
}
