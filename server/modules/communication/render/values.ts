/** How templates see data: own properties only, and every value as text. */

/** Truth as Handlebars has it: empty texts, empty lists, 0, null and false are not. */
export function isTruthy(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : Boolean(value)
}

export function toText(value: unknown): string {
  if (typeof value === 'string') return value
  if (value === null || value === undefined) return ''
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return String(value)
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? '' : value.toISOString()
  if (Array.isArray(value))
    return value
      .slice(0, 1_000)
      .map((item) => (typeof item === 'object' ? '' : toText(item)))
      .join(',')
  return ''
}

/** Never what an object inherits, and never something to call. */
export function propertyOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined
  if (!Object.hasOwn(value, name)) return undefined
  const property = (value as Record<string, unknown>)[name]
  return typeof property === 'function' ? undefined : property
}

const special = /[&<>"'`=]/g
const replacements: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#x27;',
  '`': '&#x60;',
  '=': '&#x3D;',
}

export function escapeHtml(text: string): string {
  return special.test(text)
    ? ((special.lastIndex = 0), text.replace(special, (character) => replacements[character]!))
    : text
}

const entity = /&(?:amp|lt|gt|quot|apos|#\d{1,7}|#x[0-9a-f]{1,6});/gi
const named: Record<string, string> = { '&amp;': '&', '&lt;': '<', '&gt;': '>', '&quot;': '"', '&apos;': "'" }

/** The text of an attribute value, as far as addresses need it. */
export function decodeEntities(text: string): string {
  if (!text.includes('&')) return text
  return text.replace(entity, (found) => {
    const known = named[found.toLowerCase()]
    if (known) return known
    const code = /^&#x/i.test(found) ? Number.parseInt(found.slice(3), 16) : Number.parseInt(found.slice(2), 10)
    return code > 0 && code <= 0x10_ff_ff ? String.fromCodePoint(code) : ''
  })
}
