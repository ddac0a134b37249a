/**
 * Every environment variable that Rapport reads, with its meaning. The five specification documents named most of
 * them, and their names stand. docs/configuration.md and .env.example are generated from this table.
 */
import { choice, decimal, flag, integer, list, rate, text, url, type Variable } from './kinds.ts'

const program = {
  APP_NAME: text('Rapport', 'Name shown in page titles and as the sender of mails.'),
  APP_ENV: choice(
    'production',
    ['production', 'staging', 'development', 'local', 'test'],
    'Where this copy runs. Anything but development, local and test refuses weak secrets.',
  ),
  DATA_DIR: text(
    '.rapport',
    'Folder of the built-in database, of uploaded files and of generated keys. Relative to the project folder.',
  ),
  LOG_LEVEL: choice(
    'info',
    ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
    'The least important log line that is written.',
  ),
  SHUTDOWN_TIMEOUT_SECONDS: integer(
    30,
    { minimum: 1, maximum: 3600 },
    'How long running requests and jobs may take to finish when Rapport stops.',
    { unit: 'seconds' },
  ),
}

const http = {
  PORT: integer(
    null,
    { minimum: 0, maximum: 65_535 },
    'Port of the web application and API. 0 takes any free one. Wins over APP_PORT.',
    { defaultText: "APP_PORT, or 3000; in service mode the document's" },
  ),
  APP_PORT: integer(null, { minimum: 0, maximum: 65_535 }, 'The same, under the name that the documents give it.', {
    defaultText: "3000; in service mode the document's",
  }),
  HOST: text(
    'localhost',
    'Network interface to listen on. 0.0.0.0 (or ::) listens on all; put a TLS proxy in front then.',
  ),
  PUBLIC_URL: url(['http', 'https'], 'Address under which people reach Rapport; links in mails begin with it.', {
    defaultText: 'http://localhost:PORT',
  }),
  TRUSTED_PROXIES: list('Addresses or networks (10.0.0.0/8) of proxies whose X-Forwarded-For is believed.', {
    defaultText: 'none',
  }),
  CORS_ORIGINS: list(
    'Origins of other web applications that may call the API from a browser. * allows any, without cookies.',
    { defaultText: 'none but our own' },
  ),
  RATE_LIMIT_PER_MINUTE: integer(
    600,
    { minimum: 1, maximum: 1_000_000 },
    'Requests that one key, user or address may make in a minute.',
    { unit: 'requests' },
  ),
  CUSTOMER_PATCH_RATE: rate('5/minute', 'How often one caller may change customers (PATCH /customers/{id}).'),
  UPLOAD_SIZE_MAX_MB: integer(512, { minimum: 1, maximum: 102_400 }, 'Largest file of an import.', {
    unit: 'megabytes',
  }),
}

const database = {
  DATABASE_URL: url(['postgres', 'postgresql'], 'A PostgreSQL (15 or later) of yours. Absent: the built-in one.', {
    secret: true,
    defaultText: 'built-in',
  }),
  DB_CONNECTION_STRING: url(['postgres', 'postgresql'], 'Another name for DATABASE_URL.', { secret: true }),
  DB_CONNECTION: text(
    null,
    'Kind of database: pgsql, postgres or postgresql. Others are refused: Rapport speaks PostgreSQL only.',
  ),
  DB_HOST: text(
    null,
    'Host of the database, when it is given in parts. Then DB_DATABASE and DB_USERNAME are needed too.',
  ),
  DB_PORT: integer(null, { minimum: 1, maximum: 65_535 }, 'Port of the database.', { defaultText: '5432' }),
  DB_DATABASE: text(null, 'Name of the database.'),
  DB_USERNAME: text(null, 'User who owns the database.'),
  DB_PASSWORD: text(null, "That user's password.", { secret: true }),
  DATABASE_CONNECTIONS: integer(10, { minimum: 2, maximum: 500 }, 'Most connections that one process opens.', {
    unit: 'connections',
  }),
  SLOW_QUERY_MS: integer(
    500,
    { minimum: 1, maximum: 600_000 },
    'Queries that take longer are logged, without their values.',
    { unit: 'milliseconds' },
  ),
}

const services = {
  RABBITMQ_URL: url(
    ['amqp', 'amqps'],
    'RabbitMQ for events between programs. Absent: events stay inside Rapport, and its webhooks.',
    { secret: true },
  ),
  RABBITMQ_HOST: text(null, 'Host of RabbitMQ, when it is given in parts.'),
  RABBITMQ_PORT: integer(null, { minimum: 1, maximum: 65_535 }, 'Port of RabbitMQ.', { defaultText: '5672' }),
  RABBITMQ_USER: text(null, 'User of RabbitMQ.', { defaultText: 'guest' }),
  RABBITMQ_PASSWORD: text(null, "That user's password.", { secret: true, defaultText: 'guest' }),
  RABBITMQ_VHOST: text(null, 'Virtual host.', { defaultText: '/' }),
  RABBITMQ_EXCHANGE: text(null, 'Topic exchange that events are published to.', {
    defaultText: "rapport.events; in service mode the document's",
  }),
  RABBITMQ_QUEUE: text(null, 'Queue that events of other programs are read from.', {
    defaultText: "rapport; in service mode the document's",
  }),
  REDIS_URL: url(['redis', 'rediss'], 'Redis for cache and rate limits shared by several copies. Absent: memory.', {
    secret: true,
  }),
  REDIS_PREFIX: text('rapport', 'Keys in Redis begin with it, so that several installations can share one Redis.'),
  MINIO_ENDPOINT: url(
    ['http', 'https'],
    'S3-compatible storage for files (MinIO, S3, R2 …). Absent: a folder inside DATA_DIR. Needs both keys.',
  ),
  MINIO_PUBLIC_ENDPOINT: url(
    ['http', 'https'],
    'Where browsers reach the storage: links to files lead there, signed, for five minutes.',
    { defaultText: 'MINIO_ENDPOINT' },
  ),
  MINIO_ACCESS_KEY: text(null, 'Access key of the storage.'),
  MINIO_SECRET_KEY: text(null, 'Secret key of the storage.', { secret: true }),
  MINIO_BUCKET: text(
    null,
    'Bucket for the files, of Rapport alone. Made where it is missing; versioning must be off, or deleted files stay.',
    { defaultText: 'rapport' },
  ),
  MINIO_REGION: text(null, 'Region of the bucket.', { defaultText: 'us-east-1' }),
  CLAMD_URL: url(
    ['tcp', 'unix'],
    'ClamAV daemon that looks at uploaded files: tcp://host:3310 or unix:///run/clamav/clamd.ctl. Absent: files are not scanned.',
  ),
  OTEL_EXPORTER_OTLP_ENDPOINT: url(
    ['http', 'https'],
    'OpenTelemetry collector that traces are sent to. Absent: no traces.',
  ),
}

const identity = {
  SECRET_KEY: text(
    null,
    'Signs sessions and links, and checks HS256 tokens of your own auth service. 32 bytes or more; the same for all copies.',
    { secret: true, defaultText: 'made at first start, kept in DATA_DIR/secret.key' },
  ),
  ALGORITHM: choice('HS256', ['HS256', 'HS384', 'HS512'], 'Algorithm of tokens signed with SECRET_KEY.'),
  ACCESS_TOKEN_EXPIRE_MINUTES: integer(
    30,
    { minimum: 1, maximum: 525_600 },
    'Life of access tokens that Rapport issues.',
    { unit: 'minutes' },
  ),
  JWT_ISSUER: text(null, 'When set, tokens must carry this `iss`.'),
  JWT_AUDIENCE: text(null, 'When set, tokens must carry this `aud`.'),
  AUTH_SERVICE_URL: url(
    ['http', 'https'],
    'Your auth service; its keys are read from /.well-known/jwks.json there. Absent: accounts inside Rapport.',
  ),
  ORDERS_SERVICE_URL: url(
    ['http', 'https'],
    'Your orders service. Kept for its callers: Rapport never calls it, because figures of orders come by its events.',
  ),
  SCHEDULING_SERVICE_URL: url(
    ['http', 'https'],
    'Your scheduling service. Kept for its callers: Rapport never calls it, because appointments come by its events.',
  ),
  LOG_SERVICE_URL: url(
    ['http', 'https'],
    'A service that is sent a copy of the audit log each minute: POST {"entries": […]}.',
  ),
}

const mail = {
  SMTP_URL: url(
    ['smtp', 'smtps'],
    'Server that mails go out through: smtp://user:password@host:587. Absent: the sandbox inbox.',
    { secret: true, defaultText: 'sandbox' },
  ),
  MAIL_FROM: text('rapport@localhost', 'Sender address of mails that name no other.'),
  MAIL_FROM_NAME: text(null, 'Sender name of those mails.', { defaultText: 'APP_NAME' }),
  DKIM_DOMAIN: text(null, 'Domain that mails are signed for. Needs the selector and the key.'),
  DKIM_SELECTOR: text(null, 'Selector of the DKIM key in the DNS.'),
  DKIM_PRIVATE_KEY: text(null, 'Private key in PEM; \\n stands for a line break.', { secret: true }),
  SEND_CONNECTIONS: integer(10, { minimum: 1, maximum: 100 }, 'Connections to the mail server that one worker holds.', {
    unit: 'connections',
  }),
  SEND_RATE_PER_SECOND: integer(
    0,
    { minimum: 0, maximum: 1_000_000 },
    'Most mails a second from one sender. 0 sets no limit.',
    { unit: 'mails' },
  ),
  SEND_RATE_PER_DOMAIN_PER_SECOND: integer(
    0,
    { minimum: 0, maximum: 1_000_000 },
    'Most mails a second to one recipient domain. 0 sets no limit.',
    { unit: 'mails' },
  ),
}

const mailIn = {
  MAIL_IN_PORT: integer(
    null,
    { minimum: 0, maximum: 65_535 },
    'Port on which the worker takes mail in (25, or behind your mail server any). Absent: no mail comes in this way.',
    { defaultText: 'closed' },
  ),
  MAIL_IN_HOST: text('localhost', 'Network interface of that port. 0.0.0.0 (or ::) listens on all.'),
  MAIL_IN_PROTOCOL: choice(
    'smtp',
    ['smtp', 'lmtp'],
    'What is spoken there: smtp, or lmtp behind a mail server of yours.',
  ),
  MAIL_IN_CONNECTIONS: integer(50, { minimum: 1, maximum: 1_000 }, 'Most connections at once to that port.', {
    unit: 'connections',
  }),
  MAIL_IN_SIZE_MAX_MB: integer(
    25,
    { minimum: 1, maximum: 100 },
    'Largest mail that is taken in, attachments included.',
    {
      unit: 'megabytes',
    },
  ),
  MAIL_IN_TLS_CERTIFICATE: text(
    null,
    'Certificate chain in PEM for STARTTLS; \\n stands for a line break. Needs the key.',
  ),
  MAIL_IN_TLS_KEY: text(null, 'Its private key in PEM.', { secret: true }),
  MAIL_IN_TRUSTED_SERVER: text(
    null,
    'Name of your mail server as it writes it first in Authentication-Results; its DMARC verdicts are believed.',
    { defaultText: 'none; mail from outside is checked here' },
  ),
  IMAP_URL: url(
    ['imap', 'imaps'],
    'Mailbox that mail is fetched from: imaps://user:password@host:993/INBOX. Absent: none is.',
    { secret: true },
  ),
  IMAP_POLL_SECONDS: integer(
    60,
    { minimum: 5, maximum: 3_600 },
    'How often it is looked into, whatever its server tells. Most servers tell of new mail at once.',
    { unit: 'seconds' },
  ),
}

const product = {
  ENGAGEMENT_SCORE_OPEN_WEIGHT: decimal(
    1,
    { minimum: 0, maximum: 1000 },
    'What an opened mail adds to the engagement score.',
    { unit: 'points' },
  ),
  ENGAGEMENT_SCORE_CLICK_WEIGHT: decimal(3, { minimum: 0, maximum: 1000 }, 'What a clicked link adds.', {
    unit: 'points',
  }),
  ENGAGEMENT_SCORE_PURCHASE_WEIGHT: decimal(10, { minimum: 0, maximum: 1000 }, 'What a purchase adds.', {
    unit: 'points',
  }),
  TICKET_NUMBER_PREFIX: text('TICKET', 'Ticket numbers begin with it: TICKET-20240115-001.'),
  AUTO_CLOSE_RESOLVED_DAYS: integer(
    7,
    { minimum: 1, maximum: 3650 },
    'Resolved tickets close after so long without a word.',
    { unit: 'days' },
  ),
  REOPEN_WINDOW_DAYS: integer(
    14,
    { minimum: 0, maximum: 3650 },
    'For so long after its end, a word of the requester brings a ticket back; later it opens one that follows it.',
    { unit: 'days' },
  ),
  ESCALATION_TIMEOUT_HOURS: decimal(
    2,
    { minimum: 0.1, maximum: 8760 },
    'Urgent tickets escalate after so long without an answer.',
    { unit: 'hours' },
  ),
  AUTO_ASSIGN: flag(
    true,
    'Whether tickets go to agents who are online by themselves; each workspace may decide otherwise.',
  ),
  MAX_ATTACHMENT_SIZE_MB: integer(10, { minimum: 1, maximum: 1024 }, 'Largest attachment of a ticket.', {
    unit: 'megabytes',
  }),
  PUBLIC_TICKET_ACCESS: choice(
    'token',
    ['token', 'number', 'off'],
    'How people without an account come back to a ticket: by a secret token; also by its number, which then cannot be guessed; or not at all.',
  ),
  PUBLIC_TICKET_DAYS: integer(
    90,
    { minimum: 0, maximum: 3650 },
    'For so long after its ticket was closed, a token (or number) of somebody without an account opens it.',
    { unit: 'days' },
  ),
}

const work = {
  WORKER_CONCURRENCY: integer(4, { minimum: 1, maximum: 64 }, 'Background jobs that one worker runs at once.', {
    unit: 'jobs',
  }),
  OUTBOUND_ALLOW_LOOPBACK: flag(false, 'Lets webhooks reach this machine itself. For development and tests.'),
  TEST_REDIS_URL: url(
    ['redis', 'rediss'],
    'Redis that every test works with. Absent: memory, but for the tests of Redis.',
    {
      secret: true,
    },
  ),
  TEST_DATABASE_URL: url(
    ['postgres', 'postgresql'],
    'PostgreSQL for `npm test`; its user must own the server. Absent: the built-in one.',
    { secret: true },
  ),
}

export const groups: { title: string; variables: Record<string, Variable> }[] = [
  { title: 'The program', variables: program },
  { title: 'Web and API', variables: http },
  { title: 'Database', variables: database },
  { title: 'Services it can use', variables: services },
  { title: 'Identity', variables: identity },
  { title: 'Mail', variables: mail },
  { title: 'Mail that comes in', variables: mailIn },
  { title: 'Contacts and tickets', variables: product },
  { title: 'Work and development', variables: work },
]

export const variables = {
  ...program,
  ...http,
  ...database,
  ...services,
  ...identity,
  ...mail,
  ...mailIn,
  ...product,
  ...work,
}

type Table = typeof variables
export type VariableName = keyof Table
export type Values = { [Name in VariableName]: Table[Name] extends Variable<infer T> ? T : never }
