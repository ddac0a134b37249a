/**
 * What a text file's bytes mean: a byte order mark decides, or the zeros of UTF-16; else it is UTF-8 if every byte fits;
 * else one of the code pages that spreadsheets wrote, judged by the letters that it would make. A person may say otherwise.
 */
import type { Readable } from 'node:stream'

export const encodings = ['utf-8', 'utf-16le', 'utf-16be', 'windows-1252', 'windows-1250', 'iso-8859-2'] as const
export type Encoding = (typeof encodings)[number]

/** Watches the bytes of a text go by, and says in the end what they are. */
export function createEncodingJudge() {
  const utf8 = new TextDecoder('utf-8', { fatal: true })
  const pages = createPageJudge()
  let marked: Encoding | null = null
  let isUtf8 = true
  let first = true

  return {
    watch(chunk: Buffer): void {
      if (first && chunk.length) {
        marked = markOf(chunk) ?? wideOf(chunk)
        first = false
      }
      if (this.isWide) return
      if (isUtf8) isUtf8 = fits(utf8, chunk)
      pages.watch(chunk)
    },
    get isWide(): boolean {
      return marked === 'utf-16le' || marked === 'utf-16be'
    },
    finish(): Encoding {
      if (isUtf8 && !marked) isUtf8 = fits(utf8, undefined)
      return marked ?? (isUtf8 ? 'utf-8' : pages.finish())
    },
  }
}

function markOf(chunk: Buffer): Encoding | null {
  if (chunk[0] === 0xff && chunk[1] === 0xfe) return 'utf-16le'
  if (chunk[0] === 0xfe && chunk[1] === 0xff) return 'utf-16be'
  return chunk[0] === 0xef && chunk[1] === 0xbb && chunk[2] === 0xbf ? 'utf-8' : null
}

/** Without a mark: Latin text in UTF-16 has a zero in every other byte, and always on the same side. */
function wideOf(chunk: Buffer): Encoding | null {
  const length = Math.min(chunk.length, 1_000) & ~1
  const zeros: [number, number] = [0, 0]
  for (let at = 0; at < length; at++) if (chunk[at] === 0) zeros[(at & 1) as 0 | 1]++
  const [even, odd] = zeros
  if (length < 8 || even + odd < length / 8) return null
  if (even === 0) return 'utf-16le'
  return odd === 0 ? 'utf-16be' : null
}

function fits(decoder: InstanceType<typeof TextDecoder>, chunk: Buffer | undefined): boolean {
  try {
    decoder.decode(chunk, { stream: chunk !== undefined })
    return true
  } catch {
    return false
  }
}

/** Bytes beside letters that the east of Europe writes often, and that in the west's code page are signs or rarities. */
const eastern: Record<'windows-1250' | 'iso-8859-2', readonly number[]> = {
  // ą ł ş ť ľ ż ť ś ź Ś Ź Ş Ł Ą ţ Ţ ă ě ř ů ő
  'windows-1250': [
    0xb9, 0xb3, 0xba, 0x9d, 0xbe, 0xbf, 0x9c, 0x9f, 0x8c, 0x8f, 0xaa, 0xa3, 0xa5, 0xfe, 0xde, 0xe3, 0xec, 0xf8, 0xf5,
  ],
  // ą ł ş ť ľ ż ś š ź ž Ś Š Ş Ł Ą ţ Ţ ă ě ř ő
  'iso-8859-2': [
    0xb1, 0xb3, 0xba, 0xbb, 0xb5, 0xbf, 0xb6, 0xb9, 0xbc, 0xbe, 0xa6, 0xa9, 0xaa, 0xa3, 0xa1, 0xfe, 0xde, 0xe3, 0xec,
    0xf8, 0xf5,
  ],
}
/** Letters of the west that the east does not have at all or hardly; those that both share speak for neither. */
const western: readonly number[] = [
  0xe0, 0xe7, 0xc7, 0xe8, 0xea, 0xf9, 0xfb, 0xf1, 0xe5, 0xe6, 0xef, 0xf2, 0xc0, 0xc8, 0xca, 0xd1,
]
const watchedBytesMax = 4 * 1024 * 1024

function createPageJudge() {
  const counts = new Uint32Array(256)
  let watched = 0
  let before = 0

  return {
    watch(chunk: Buffer): void {
      if (watched > watchedBytesMax) return
      watched += chunk.length
      for (let at = 0; at < chunk.length; at++) {
        const byte = chunk[at]!
        const after = chunk[at + 1] ?? 0
        // Portuguese ends in -ão and -ões, where Romanian has ă and Hungarian ő before other letters.
        const isPortuguese = (byte === 0xe3 && after === 0x6f) || (byte === 0xf5 && after === 0x65)
        if (byte >= 0x80 && (isLetter(before) || isLetter(after))) counts[isPortuguese ? 0xe7 : byte]!++
        before = byte
      }
    },
    finish(): Encoding {
      const sum = (bytes: readonly number[]): number => bytes.reduce((total, byte) => total + counts[byte]!, 0)
      const scores = {
        'windows-1252': sum(western),
        'windows-1250': sum(eastern['windows-1250']),
        'iso-8859-2': sum(eastern['iso-8859-2']),
      }
      const best = scores['iso-8859-2'] > scores['windows-1250'] ? 'iso-8859-2' : 'windows-1250'
      return scores[best] > scores['windows-1252'] ? best : 'windows-1252'
    },
  }
}

function isLetter(byte: number): boolean {
  return (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a)
}

/** Decoded text with the number of bytes read so far; ends with one empty last piece. Bad bytes become U+FFFD. */
export async function* decode(
  source: Readable,
  encoding: Encoding,
): AsyncGenerator<{ text: string; bytes: number; isLast: boolean }> {
  const decoder = new TextDecoder(encoding)
  let bytes = 0
  for await (const chunk of source as AsyncIterable<Buffer>) {
    bytes += chunk.length
    yield { text: decoder.decode(chunk, { stream: true }), bytes, isLast: false }
  }
  yield { text: decoder.decode(), bytes, isLast: true }
}
