// Logs: JSON lines by pino. One line an event, whatever the text holds (JSON escapes line breaks and terminal codes), and no
// secret: values under telling names are replaced wherever they stand, and secrets inside of URLs and headers are cut out.
import { pino, type DestinationStream, type Logger } from 'pino'

export type Log = Logger

export type LogOptions = { level?: string; name?: string; destination?: DestinationStream }

const HIDDEN = '[hidden]'
const SECRET_NAME =
  /pass(word|wd|phrase)?$|secret|token|authorization|cookie|api[-_]?key|private[-_]?key|signature|credential|otp|session[-_]?id/i
const DEPTH_MAX = 6
const ITEMS_MAX = 100
const TEXT_MAX = 8192

// Requests and replies are live objects full of getters: their serializers pick what is wanted, and nothing walks them.
const SERIALIZED = new Set(['req', 'res'])

/** Children made by `log.child({ requestId })` hide likewise. */
export function createLog({ level = 'info', name = 'rapport', destination }: LogOptions = {}): Log {
  const log = pino(
    {
      level,
      base: { name },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }), log: hideFields },
      serializers: { req: describeRequest, res: describeReply, err: (error: unknown) => error },
      hooks: {
        logMethod(parts, method) {
          const shown = parts.map((part: unknown) => (typeof part === 'string' ? hideInText(part) : part))
          method.apply(this, shown as typeof parts)
        },
      },
    },
    destination ?? pino.destination(1),
  )
  // pino does not format the bindings of children. Every child inherits this method, so grandchildren are covered too.
  const makeChild: (this: Log, bindings: Record<string, unknown>, options?: object) => Log = Reflect.get(log, 'child')
  function child(this: Log, bindings: Record<string, unknown>, options?: object): Log {
    return makeChild.call(this, hideFields(bindings), options)
  }
  Object.assign(log, { child })
  return log
}

function hideFields(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [key, SERIALIZED.has(key) ? value : hideNamed(key, value, 1)]),
  )
}

function hideNamed(key: string, value: unknown, depth: number): unknown {
  return SECRET_NAME.test(key) && value !== null ? HIDDEN : hideSecrets(value, depth)
}

type RequestLike = { method?: string; url?: string; ip?: string }

function describeRequest({ method, url = '', ip }: RequestLike): Record<string, unknown> {
  return { method, url: hideInText(url), ip }
}

function describeReply({ statusCode }: { statusCode?: number }): Record<string, unknown> {
  return { statusCode }
}

/** A copy that may be shown: secrets replaced, errors made readable, bounded in depth and length. Cycles end by the depth. */
export function hideSecrets(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return hideInText(value)
  if (typeof value !== 'object' || value === null) return typeof value === 'bigint' ? String(value) : value
  if (value instanceof Date) return value
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`
  if (depth >= DEPTH_MAX) return '[deeper]'
  if (value instanceof Error) return hideSecrets(describeError(value), depth)
  if (Array.isArray(value)) return value.slice(0, ITEMS_MAX).map((item) => hideSecrets(item, depth + 1))
  return Object.fromEntries(
    Object.entries(value)
      .slice(0, ITEMS_MAX)
      .map(([key, inner]) => [key, hideNamed(key, inner, depth + 1)]),
  )
}

function describeError(error: Error): Record<string, unknown> {
  const { name, message, stack, cause } = error
  return {
    // Codes and names help; an object on an error is its whole connection.
    ...Object.fromEntries(Object.entries(error).filter(([, value]) => typeof value !== 'object')),
    type: name,
    message,
    stack,
    ...(cause === undefined ? {} : { cause }),
  }
}

/** Passwords of URLs, values of telling query parameters and form fields, bearer and basic credentials. */
function hideInText(text: string): string {
  const bounded = text.length > TEXT_MAX ? `${text.slice(0, TEXT_MAX)}…` : text
  return bounded
    .replace(/(:\/\/[^\s/:@]{0,200}:)[^\s/@]{1,500}@/g, `$1${HIDDEN}@`)
    .replace(/\b(bearer|basic)\s+[\w.~+/=-]{8,}/gi, `$1 ${HIDDEN}`)
    .replace(/([?&;\s](?:[\w-]{0,40}(?:token|secret|password|key|signature|code))=)[^&\s"']{1,2000}/gi, `$1${HIDDEN}`)
}
