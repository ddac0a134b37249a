// Text as mail carries it: RFC 2047 words in headers, quoted-printable in bodies. Written here rather than taken from
// nodemailer, whose tree of streams costs more per message than sending it does.

const PRINTABLE = /^[\x20-\x7e]*$/
const ENCODED_WORD_BYTES_MAX = 45
const QP_LINE_MAX = 76
const HEX = Buffer.from('0123456789ABCDEF')
const [TAB, LF, CR, SPACE, DOT, EQUALS, F] = [0x09, 0x0a, 0x0d, 0x20, 0x2e, 0x3d, 0x46]

/** Free text of a header: as it is when ASCII and short enough for one line, otherwise folded encoded words. */
export function encodeHeaderText(text: string): string {
  return PRINTABLE.test(text) && text.length <= 900 && !text.includes('=?') ? text : encodedWords(text)
}

/** A display name: bare, quoted or encoded, whichever its characters need. */
export function encodeDisplayName(name: string): string {
  if (!PRINTABLE.test(name) || name.length > 200 || name.includes('=?')) return encodedWords(name)
  return /^[A-Za-z0-9 ]+$/.test(name) ? name : `"${name.replace(/["\\]/g, '\\$&')}"`
}

function encodedWords(text: string): string {
  const words: string[] = []
  let chunk = ''
  let bytes = 0
  // By code points: a character that is cut in two would be unreadable.
  for (const character of text.toWellFormed()) {
    const size = Buffer.byteLength(character)
    if (bytes + size > ENCODED_WORD_BYTES_MAX) {
      words.push(chunk)
      chunk = ''
      bytes = 0
    }
    chunk += character
    bytes += size
  }
  words.push(chunk)
  return words.map((word) => `=?UTF-8?B?${Buffer.from(word).toString('base64')}?=`).join('\r\n ')
}

/**
 * Quoted-printable with CRLF line ends, ending in exactly one. Trailing spaces, lines of a single dot and lines that
 * begin with "From " are escaped, because relays are known to alter them and would break the signature.
 */
export function encodeQuotedPrintable(text: string): Buffer {
  const input = Buffer.from(text, 'utf8')
  // The worst case is three bytes for one, and a soft break of three after every 73.
  const output = Buffer.allocUnsafe(input.length * 3 + Math.ceil((input.length * 3) / 70) * 3 + 2)
  let length = 0
  let column = 0

  function breakLine(): void {
    output[length++] = CR
    output[length++] = LF
    column = 0
  }

  for (let index = 0; index < input.length; index++) {
    const byte = input[index] as number
    if (byte === LF || byte === CR) {
      if (byte === CR && input[index + 1] === LF) index++
      breakLine()
      continue
    }
    const next = input[index + 1]
    const endsLine = next === undefined || next === LF || next === CR
    const isPlain =
      byte > SPACE && byte < 0x7f
        ? byte !== EQUALS && !(column === 0 && ((byte === DOT && endsLine) || (byte === F && startsFrom(input, index))))
        : (byte === SPACE || byte === TAB) && !endsLine
    const width = isPlain ? 1 : 3
    // One column is kept for the "=" of a soft break; the last character of a line may use it.
    if (column + width > QP_LINE_MAX - (endsLine ? 0 : 1)) {
      output[length++] = EQUALS
      breakLine()
    }
    if (isPlain) output[length++] = byte
    else {
      output[length++] = EQUALS
      output[length++] = HEX[byte >> 4] as number
      output[length++] = HEX[byte & 15] as number
    }
    column += width
  }
  while (length >= 2 && output[length - 1] === LF) length -= 2
  breakLine()
  return output.subarray(0, length)
}

function startsFrom(input: Buffer, index: number): boolean {
  return input.toString('latin1', index, index + 5) === 'From '
}
