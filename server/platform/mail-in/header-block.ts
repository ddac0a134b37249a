/** The head of a message, read leniently and within bounds: names in small letters, values unfolded, nothing decoded. */

export type Headers = ReadonlyMap<string, readonly string[]>

const bytesMax = 256_000
const fieldsMax = 1_000

/** Up to the first empty line. A line that is no field is passed over, as mail programs do. */
export function readHeaderBlock(raw: Uint8Array | string): Headers {
  const text = typeof raw === 'string' ? raw.slice(0, bytesMax) : latin1(raw.subarray(0, bytesMax))
  const end = /\r?\n\r?\n/.exec(text)
  return toHeaders(fieldsOf(end ? text.slice(0, end.index) : text))
}

/** Several blocks, one after the other, as in the machine-readable part of a report. */
export function readHeaderBlocks(text: string): Headers[] {
  return text
    .slice(0, bytesMax)
    .split(/\r?\n(?:[ \t]*\r?\n)+/)
    .map((block) => toHeaders(fieldsOf(block)))
    .filter((headers) => headers.size > 0)
}

/** Built from name and value pairs, which another reader has unfolded already. The database can keep no NUL. */
export function toHeaders(fields: Iterable<readonly [name: string, value: string]>): Headers {
  const headers = new Map<string, string[]>()
  let count = 0
  for (const [name, written] of fields) {
    if (++count > fieldsMax) break
    const value = written.replaceAll('\0', '')
    const key = name.toLowerCase()
    const values = headers.get(key)
    if (values) values.push(value)
    else headers.set(key, [value])
  }
  return headers
}

/** The first field of that name, without blanks at its ends; '' where there is none. */
export function headerOf(headers: Headers, name: string): string {
  return headers.get(name)?.[0]?.trim() ?? ''
}

/** The ids between angle brackets, in order, each once; of a long chain the first and the last are kept. */
export function messageIdsOf(text: string, most = 60): string[] {
  const bounded = text.length > 100_000 ? `${text.slice(0, 50_000)} ${text.slice(-50_000)}` : text
  const ids = [...new Set(bounded.match(/<[^<>\s]{3,300}>/g) ?? [])]
  return ids.length <= most ? ids : [...ids.slice(0, most / 2), ...ids.slice(-most / 2)]
}

function* fieldsOf(block: string): Iterable<[string, string]> {
  for (const line of block.replaceAll(/\r?\n(?=[ \t])/g, '').split(/\r?\n/)) {
    const colon = line.indexOf(':')
    if (colon < 1) continue
    const name = line.slice(0, colon).trimEnd()
    if (/^[!-9;-~]+$/.test(name)) yield [name, line.slice(colon + 1).trim()]
  }
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}
