// Files in a mail: base64 in lines of 76, their names in the two forms that mail programs read (RFC 2183 and 2231).
import { attachmentsSizeBytesMax, MailRefused, type Attachment } from './mail.ts'

const TYPE = /^[a-z0-9][a-z0-9!#$&^_.+-]{0,63}\/[a-z0-9][a-z0-9!#$&^_.+-]{0,63}$/
const NAME_CHARACTERS_MAX = 150
const LINE_OCTETS = 76

/** The parts of a `multipart/mixed` after its first, each with its boundary before it. Rejects by MailRefused. */
export function buildAttachments(attachments: readonly Attachment[], boundary: string): Buffer[] {
  const sizeBytes = attachments.reduce((sum, { content }) => sum + content.length, 0)
  if (sizeBytes > attachmentsSizeBytesMax) {
    throw new MailRefused('attachments', `larger than ${attachmentsSizeBytesMax / 1_000_000} MB together`)
  }
  return attachments.flatMap(({ name, type, content }, index) => {
    if (!TYPE.test(type)) throw new MailRefused(`attachments.${index}.type`, 'not a content type')
    const head = [
      `--${boundary}`,
      `Content-Type: ${type}`,
      'Content-Transfer-Encoding: base64',
      `Content-Disposition: attachment${nameParameters(clean(name))}`,
      '',
      '',
    ]
    return [Buffer.from(head.join('\r\n'), 'latin1'), encodeBase64(content)]
  })
}

/** No path, no control or direction marks: what is saved has the name that is seen. */
function clean(name: string): string {
  const safe = name
    .normalize('NFC')
    .replace(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu, '')
    .replace(/[/\\:*?"<>|]/g, '_')
    .replace(/^[.\s]+|[.\s]+$/g, '')
  return safe.slice(0, NAME_CHARACTERS_MAX).replace(/[\ud800-\udbff]$/, '') || 'file'
}

/** The plain name for those who read only that, and where it says less than the real one, the real one in pieces. */
function nameParameters(name: string): string {
  const plain = name.replace(/[^\x20-\x7e]/g, '_')
  const parameters = [`filename="${plain}"`]
  if (plain !== name) parameters.push(...encodedPieces(name))
  return parameters.map((parameter) => `;\r\n ${parameter}`).join('')
}

function encodedPieces(name: string): string[] {
  const pieces: string[] = []
  let piece = "UTF-8''"
  for (const character of name) {
    const encoded = encodeURIComponent(character).replace(
      /['()*]/g,
      (each) => `%${each.charCodeAt(0).toString(16).toUpperCase()}`,
    )
    if (piece.length + encoded.length > 60) {
      pieces.push(piece)
      piece = ''
    }
    piece += encoded
  }
  pieces.push(piece)
  return pieces.length === 1 ? [`filename*=${pieces[0]}`] : pieces.map((text, index) => `filename*${index}*=${text}`)
}

function encodeBase64(content: Uint8Array): Buffer {
  const text = Buffer.from(content.buffer, content.byteOffset, content.byteLength).toString('base64')
  const lines: string[] = []
  for (let at = 0; at < text.length; at += LINE_OCTETS) lines.push(text.slice(at, at + LINE_OCTETS))
  return Buffer.from(`${lines.join('\r\n')}\r\n`, 'latin1')
}
