/** The kinds of values a variable may have: how each is read from text, and how it is described to people. */
import { type TSchema, Type } from 'typebox'
import { Value } from 'typebox/value'

export type Variable<T = unknown> = {
  schema: TSchema
  default: T
  description: string
  unit?: string
  /** Secrets are never quoted in messages, and may come from the file that NAME_FILE names. */
  secret?: boolean
  /** Where one default cannot be written down. */
  defaultText?: string
}

type Extra = Pick<Variable, 'unit' | 'secret' | 'defaultText'>

/** A default of null means: absent until named. */
export function text(fallback: string, description: string, extra?: Extra): Variable<string>
export function text(fallback: null, description: string, extra?: Extra): Variable<string | null>
export function text(fallback: string | null, description: string, extra: Extra = {}) {
  return variable(Type.String({ minLength: 1 }), fallback, description, extra)
}

export function url(protocols: string[], description: string, extra: Extra = {}) {
  return variable<string | null>(Type.String({ format: 'uri', protocols }), null, description, extra)
}

type Range = { minimum: number; maximum: number }

export function integer(fallback: number, range: Range, description: string, extra?: Extra): Variable<number>
export function integer(fallback: null, range: Range, description: string, extra?: Extra): Variable<number | null>
export function integer(fallback: number | null, range: Range, description: string, extra: Extra = {}) {
  return variable(Type.Integer(range), fallback, description, extra)
}

export function decimal(fallback: number, range: Range, description: string, extra: Extra = {}) {
  return variable<number>(Type.Number(range), fallback, description, extra)
}

export function flag(fallback: boolean, description: string) {
  return variable<boolean>(Type.Boolean(), fallback, description, {})
}

export function choice<const T extends string>(fallback: T, values: readonly T[], description: string) {
  return variable<T>(Type.Enum([...values]), fallback, description, {})
}

/** Comma-separated. */
export function list(description: string, extra: Extra = {}) {
  return variable<string[]>(Type.Array(Type.String()), [], description, extra)
}

/** "5/minute": so many in a second, minute, hour or day. */
export function rate(fallback: string, description: string) {
  return variable<string>(Type.String({ pattern: ratePattern.source }), fallback, description, {})
}

const ratePattern = /^([1-9]\d{0,6})\s*\/\s*(second|minute|hour|day)$/
const windowSeconds: Record<string, number> = { second: 1, minute: 60, hour: 3600, day: 86_400 }

/** Takes apart what `rate` let through. */
export function parseRate(value: string): { max: number; windowSeconds: number } {
  const [, max, unit = ''] = ratePattern.exec(value) ?? []
  return { max: Number(max), windowSeconds: windowSeconds[unit] ?? 0 }
}

/** Reads one value, or answers undefined when it is not what the variable wants. */
export function readValue({ schema }: Variable, raw: string): unknown {
  const value = fromText(schema, raw)
  return Value.Check(schema, value) && hasRightProtocol(schema, value) ? value : undefined
}

/** Completes "NAME must be …" and the documentation's table. */
export function describeKind({ schema, unit }: Pick<Variable, 'schema' | 'unit'>): string {
  const of = unit ? ` of ${unit}` : ''
  const range =
    'minimum' in schema && 'maximum' in schema ? `from ${String(schema.minimum)} to ${String(schema.maximum)}` : ''
  if (Type.IsInteger(schema)) return `a whole number${of} ${range}`
  if (Type.IsNumber(schema)) return `a number${of} ${range}`
  if (Type.IsBoolean(schema)) return 'true or false'
  if (Type.IsArray(schema)) return 'a comma-separated list'
  if (Type.IsEnum(schema)) return `one of ${schema.enum.join(', ')}`
  if ('protocols' in schema)
    return `an address like ${protocolsOf(schema)
      .map((p) => `${p}://…`)
      .join(' or ')}`
  if ('pattern' in schema) return 'a rate like 5/minute (second, minute, hour or day)'
  return 'text'
}

function variable<T>(schema: TSchema, fallback: T, description: string, extra: Extra): Variable<T> {
  return { schema, default: fallback, description, ...extra }
}

function fromText(schema: TSchema, raw: string): unknown {
  if (Type.IsArray(schema))
    return raw
      .split(',')
      .map((part) => part.trim())
      .filter(Boolean)
  if (Type.IsInteger(schema) || Type.IsNumber(schema)) return /^-?\d+(\.\d+)?$/.test(raw) ? Number(raw) : raw
  if (Type.IsBoolean(schema)) return { true: true, false: false, '1': true, '0': false }[raw.toLowerCase()]
  if (Type.IsEnum(schema)) return schema.enum.find((value) => String(value).toLowerCase() === raw.toLowerCase())
  return raw
}

function hasRightProtocol(schema: TSchema, value: unknown): boolean {
  if (!('protocols' in schema)) return true
  const parsed = URL.parse(String(value))
  return parsed !== null && namesPlace(parsed) && protocolsOf(schema).includes(parsed.protocol.slice(0, -1))
}

/** A host, or for a socket of this machine its file. */
function namesPlace({ protocol, hostname, pathname }: URL): boolean {
  return protocol === 'unix:' ? hostname === '' && pathname.length > 1 : hostname !== ''
}

function protocolsOf(schema: TSchema): string[] {
  return 'protocols' in schema && Array.isArray(schema.protocols) ? schema.protocols.map(String) : []
}
