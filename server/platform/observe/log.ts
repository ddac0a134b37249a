/** JSON logs by pino, one line an entry, without secrets. */
import { pino, type DestinationStream, type Logger } from 'pino'

const secrets = ['authorization', 'cookie', 'password', 'new_password', 'token', 'secret', 'key', 'totp']

export function createLog(options: { level: string; name: string }, destination?: DestinationStream): Logger {
  const settings = {
    level: options.level,
    base: { service: options.name },
    // An error may carry its whole connection; what helps is this.
    serializers: { err: (error: Error & { code?: string }) => summarize(error) },
    redact: { paths: secrets.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]), censor: '[hidden]' },
  }
  return destination ? pino(settings, destination) : pino(settings)
}

function summarize(error: Error & { code?: string }): object {
  const cause = error.cause instanceof Error ? { cause: error.cause.message } : {}
  return { type: error.name, message: error.message, code: error.code, stack: error.stack, ...cause }
}
