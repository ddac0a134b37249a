/** JSON logs by pino, one line an entry, without secrets. */
import { pino, type DestinationStream, type Logger } from 'pino'

const secrets = ['authorization', 'cookie', 'password', 'new_password', 'token', 'secret', 'key', 'totp', 'code']

export function createLog(options: { level: string; name: string }, destination?: DestinationStream): Logger {
  const settings = {
    level: options.level,
    base: { service: options.name },
    redact: { paths: secrets.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]), censor: '[hidden]' },
  }
  return destination ? pino(settings, destination) : pino(settings)
}
