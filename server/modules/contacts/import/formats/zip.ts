/**
 * A look at the table of contents of a ZIP before anything is unpacked: is it a workbook, and how large would it become?
 * Sizes that are declared too small are met again while unpacking, where the limit holds for what really comes out.
 */
import { createInflateRaw } from 'node:zlib'
import { Invalid } from '#platform/errors.ts'

export const spreadsheetBytesMax = 50_000_000
/** All parts of a workbook together. */
const unpackedBytesMax = 600_000_000
/** Of one tag or text in a sheet; a cell holds 32,767 characters. */
const pieceBytesMax = 1_000_000
/** Texts, styles and lists of sheets are held in memory at once. */
const heldBytesMax = 100_000_000
const entriesMax = 2_000

interface Entry {
  name: string
  method: number
  packed: number
  unpacked: number
  start: number
}

/** Throws the sentence for whoever sent it; answers the number of rows in all sheets together. */
export async function checkWorkbook(bytes: Buffer): Promise<number> {
  const entries = readContents(bytes)
  const names = new Set(entries.map(({ name }) => name))
  if (!names.has('[Content_Types].xml') || ![...names].some((name) => name.startsWith('xl/'))) {
    const isOds = names.has('mimetype') && names.has('content.xml')
    const detail = isOds
      ? 'This is an OpenDocument sheet. Save it as .xlsx or CSV.'
      : 'This archive is no .xlsx workbook. Unpack it and send the table inside.'
    throw Invalid.at('/file', 'wrong_format', detail)
  }
  const total = entries.reduce((sum, { unpacked }) => sum + unpacked, 0)
  if (total > unpackedBytesMax || names.size !== entries.length) throw bomb()
  let rows = 0
  for (const entry of entries) {
    if (!/\.(xml|rels)$/.test(entry.name)) continue
    const isSheet = entry.name.startsWith('xl/worksheets/')
    const limit = isSheet ? unpackedBytesMax : heldBytesMax
    const found = entry.unpacked > limit ? null : await unpack(bytes, entry, limit)
    if (found === null) throw bomb()
    if (isSheet) rows += found
  }
  return rows
}

function bomb(): Invalid {
  return Invalid.at(
    '/file',
    'unpacks_too_large',
    'This workbook unpacks to more than can be read here. Save it as CSV.',
  )
}

function broken(): Invalid {
  return Invalid.at(
    '/file',
    'broken_workbook',
    'This workbook is damaged. Open it in a spreadsheet program and save it again.',
  )
}

function readContents(bytes: Buffer): Entry[] {
  const end = bytes.lastIndexOf('PK\x05\x06', undefined, 'latin1')
  if (end < 0 || end + 22 > bytes.length) throw broken()
  const count = bytes.readUInt16LE(end + 10)
  let at = bytes.readUInt32LE(end + 16)
  if (count > entriesMax) throw bomb()
  const entries: Entry[] = []
  for (let index = 0; index < count; index++) {
    if (at + 46 > bytes.length || bytes.readUInt32LE(at) !== 0x02014b50) throw broken()
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((offset) => bytes.readUInt16LE(at + offset))
    entries.push({
      name: bytes.subarray(at + 46, at + 46 + nameLength!).toString('utf8'),
      method: bytes.readUInt16LE(at + 10),
      packed: bytes.readUInt32LE(at + 20),
      unpacked: bytes.readUInt32LE(at + 24),
      start: bytes.readUInt32LE(at + 42),
    })
    at += 46 + nameLength! + extraLength! + commentLength!
  }
  return entries
}

/** Unpacks for counting alone, because what is declared may be a lie. Answers the ends of rows; null beyond the limits. */
async function unpack(bytes: Buffer, { method, packed, start }: Entry, limit: number): Promise<number | null> {
  if (start + 30 > bytes.length) throw broken()
  const from = start + 30 + bytes.readUInt16LE(start + 26) + bytes.readUInt16LE(start + 28)
  const content = bytes.subarray(from, from + packed)
  if (method !== 0 && method !== 8) throw broken()
  const inflate = createInflateRaw({ chunkSize: 256 * 1024 })
  const chunks = method === 0 ? [content] : inflate
  let [total, sinceTag, rows] = [0, 0, 0]
  try {
    if (method === 8) inflate.end(content)
    for await (const chunk of chunks as AsyncIterable<Buffer>) {
      total += chunk.length
      const lastTag = chunk.lastIndexOf(62)
      sinceTag = lastTag < 0 ? sinceTag + chunk.length : chunk.length - 1 - lastTag
      if (total > limit || sinceTag > pieceBytesMax) return null
      for (let at = chunk.indexOf('</row>'); at >= 0; at = chunk.indexOf('</row>', at + 6)) rows++
    }
  } catch {
    throw broken()
  } finally {
    inflate.destroy()
  }
  return rows
}
