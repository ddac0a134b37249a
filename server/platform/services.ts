/** What an operation may use besides its transaction. Built by hand in `app.ts`; nothing here is global. */
import type { PgBoss } from 'pg-boss'
import type { Logger } from 'pino'
import type { Config } from '#server/config.ts'
import type { Cache } from './cache/cache.ts'
import type { Tokens } from './crypto/tokens.ts'
import type { Seal } from './crypto/seal.ts'
import type { Files } from './files/files.ts'
import type { RateLimiter } from './limits/limits.ts'
import type { MailTransport } from './mail/mail.ts'
import type { Outbound } from './outbound/outbound.ts'
import type { Metrics } from './observe/metrics.ts'
import type { Db } from './db/db.ts'
import type { Live } from './live/live.ts'
import type { Scanner } from './scan/scan.ts'
import type { Permissions } from './actor.ts'
import type { Keeper } from './privacy/personal-data.ts'
import type { Sights } from './sight.ts'

export interface Services {
  config: Config
  log: Logger
  cache: Cache
  files: Files
  limits: RateLimiter
  mail: MailTransport
  outbound: Outbound
  metrics: Metrics
  tokens: Tokens
  seal: Seal
  live: Live
  /** Looks at files for malware; without a scanner it says so. */
  scan: Scanner
  /** Every module's, in one table. */
  permissions: Permissions
  /** Every module's, by the kind of thing. */
  sights: Sights
  /** What each module promises about people; the platform's own comes first. */
  personalData: readonly Keeper[]
  /** Where people reach this installation, without a trailing slash: `https://rapport.example`. */
  publicUrl: string
}

/** For the few that open transactions of their own: workers, jobs and streams. Never handed to an operation. */
export interface Runtime extends Services {
  db: Db
  /** Carries the jobs; `tx.enqueue` is how they are added. */
  queue: PgBoss
}
