/** Makes a body that a door's schema accepts: tests that walk every door need one for each. */
export interface Schema {
  $ref?: string
  type?: string | string[]
  format?: string
  pattern?: string
  const?: unknown
  enum?: unknown[]
  anyOf?: Schema[]
  oneOf?: Schema[]
  allOf?: Schema[]
  properties?: Record<string, Schema>
  required?: string[]
  items?: Schema
  minItems?: number
  minProperties?: number
  minLength?: number
  maxLength?: number
  minimum?: number
}

let made = 0

/** `id` stands wherever an id is asked for. What is optional is left out, except ids. */
export function sample(schema: Schema, id: string): unknown {
  if (schema.const !== undefined) return schema.const
  if (schema.enum) return schema.enum[0]
  const choice = schema.anyOf?.[0] ?? schema.oneOf?.[0] ?? schema.allOf?.[0]
  if (choice) return sample(choice, id)
  switch ([schema.type ?? 'object'].flat()[0]) {
    case 'string':
      return sampleText(schema, id)
    case 'integer':
    case 'number':
      return Math.max(schema.minimum ?? 1, 1)
    case 'boolean':
      return true
    case 'null':
      return null
    case 'array':
      return (schema.minItems ?? 0) > 0 || isId(schema.items) ? [sample(schema.items ?? {}, id)] : []
    default:
      return sampleObject(schema, id)
  }
}

function sampleObject(schema: Schema, id: string): Record<string, unknown> {
  const { properties = {}, required = [], minProperties = 0 } = schema
  const wanted = Object.entries(properties).filter(
    ([name, property], index) =>
      required.includes(name) || isId(property) || isId(property.items) || index < minProperties,
  )
  return Object.fromEntries(wanted.map(([name, property]) => [name, sample(property, id)]))
}

function isId(schema: Schema | undefined): boolean {
  return schema?.format === 'uuid'
}

const formats: Record<string, () => string> = {
  email: () => `sample${++made}@sample.example`,
  'date-time': () => new Date(Date.now() + 86_400_000).toISOString(),
  date: () => '2030-01-31',
  uri: () => 'https://sample.example/',
}

/** Texts for the few patterns that doors have; the first that matches is taken. */
const texts = () => [
  `Sample ${++made}`,
  `sample_${made}`,
  '#336699',
  'FR',
  'EUR',
  'en',
  '0',
  '123456',
  '2030-01-31',
  '07:30',
]

function sampleText({ format, pattern, minLength = 0, maxLength = 1_000 }: Schema, id: string): string {
  if (format === 'uuid') return id
  const formatted = format ? formats[format]?.() : undefined
  if (formatted) return formatted
  const fitting = texts().find((text) => !pattern || new RegExp(pattern, 'u').test(text)) ?? 'sample'
  return fitting.padEnd(minLength, 'x').slice(0, maxLength)
}
