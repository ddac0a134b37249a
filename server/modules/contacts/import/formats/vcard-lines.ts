/** One vCard's lines as properties: unfolded, unquoted, decoded. Lenient, because address books write what they like. */

export interface Property {
  /** In capitals, without its group. */
  name: string
  group: string | null
  /** TYPE words in small letters. */
  types: string[]
  /** 1 is the most preferred; 100 without a word. */
  preference: number
  parameters: Record<string, string>
  /** As written, but for line folding and quoted-printable; escapes are still there. */
  value: string
}

export function readProperties(card: string): Property[] {
  return unfold(card).flatMap((line) => {
    const property = readProperty(line)
    return property ? [property] : []
  })
}

/** A line that begins with a blank goes on with the one before; in quoted-printable, one that ends with "=". */
function unfold(card: string): string[] {
  const lines: string[] = []
  for (const raw of card.split(/\r\n|\n|\r/)) {
    const last = lines.at(-1)
    if (last !== undefined && /^[ \t]/.test(raw)) lines[lines.length - 1] = last + raw.slice(1)
    else if (last !== undefined && last.endsWith('=') && /^[^:]*ENCODING=QUOTED-PRINTABLE/i.test(last))
      lines[lines.length - 1] = last.slice(0, -1) + raw
    else lines.push(raw)
  }
  return lines
}

function readProperty(line: string): Property | null {
  const colon = outsideQuotes(line, ':')
  if (colon <= 0) return null
  const [head = '', ...parts] = splitOutsideQuotes(line.slice(0, colon), ';')
  const dot = head.lastIndexOf('.')
  const property: Property = {
    name: head
      .slice(dot + 1)
      .trim()
      .toUpperCase(),
    group: dot > 0 ? head.slice(0, dot).toLowerCase() : null,
    types: [],
    preference: 100,
    parameters: {},
    value: line.slice(colon + 1),
  }
  if (!/^[A-Z][A-Z0-9-]*$/.test(property.name)) return null
  for (const part of parts) readParameter(part, property)
  if (/^quoted-printable$/i.test(property.parameters.ENCODING ?? ''))
    property.value = fromQuotedPrintable(property.value, property.parameters.CHARSET)
  return property
}

/** vCard 2.1 leaves the names of parameters out: `TEL;CELL;PREF:`. */
function readParameter(part: string, property: Property): void {
  const equals = part.indexOf('=')
  const name = equals < 0 ? nameOfBare(part) : part.slice(0, equals).trim().toUpperCase()
  const text = (equals < 0 ? part : part.slice(equals + 1)).trim().replaceAll('"', '')
  if (name === 'TYPE') {
    const types = text.toLowerCase().split(',').filter(Boolean)
    property.types.push(...types)
    if (types.includes('pref')) property.preference = 1
  } else if (name === 'PREF') property.preference = Math.min(100, Math.max(1, Number.parseInt(text, 10) || 1))
  else property.parameters[name] = text
}

function nameOfBare(word: string): string {
  return /^(quoted-printable|base64|8bit|7bit)$/i.test(word.trim()) ? 'ENCODING' : 'TYPE'
}

function fromQuotedPrintable(value: string, charset = 'utf-8'): string {
  const bytes = Buffer.from(
    value.replace(/=([0-9A-F]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    // Already decoded characters beyond Latin-1 are not quoted-printable; they stay as they are.
    /[^\0-\xff]/.test(value) ? 'utf8' : 'latin1',
  )
  try {
    return new TextDecoder(charset).decode(bytes)
  } catch {
    return new TextDecoder().decode(bytes)
  }
}

function outsideQuotes(text: string, character: string): number {
  let quoted = false
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '"') quoted = !quoted
    else if (text[at] === character && !quoted) return at
  }
  return -1
}

function splitOutsideQuotes(text: string, character: string): string[] {
  const parts: string[] = []
  let rest = text
  for (let at = outsideQuotes(rest, character); at >= 0; at = outsideQuotes(rest, character)) {
    parts.push(rest.slice(0, at))
    rest = rest.slice(at + 1)
  }
  return [...parts, rest]
}

/** `\n`, `\,`, `\;` and `\\`. */
export function unescape(text: string): string {
  return text.replace(/\\([nN,;:\\])/g, (_, character: string) => (/n/i.test(character) ? '\n' : character)).trim()
}

/** The parts of a structured value, cut where the separator is not escaped. */
export function components(value: string, separator: ';' | ','): string[] {
  const parts: string[] = []
  let part = ''
  for (let at = 0; at < value.length; at++) {
    if (value[at] === '\\' && at + 1 < value.length) part += value[at]! + value[++at]!
    else if (value[at] === separator) {
      parts.push(part)
      part = ''
    } else part += value[at]!
  }
  return [...parts, part].map(unescape)
}
