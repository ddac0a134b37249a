/**
 * Which files may be attached: by their name once it is normalised, and by their content, which must be what the name says.
 * Pictures, PDF, office documents without macros, texts and logs; nothing that a browser or a shell would run.
 */
import { UnsupportedMedia } from '#platform/errors.ts'

export type FileType = 'image' | 'pdf' | 'document' | 'text'

export interface AttachmentKind {
  type: FileType
  mime: string
  looksRight(head: Buffer): boolean
}

const begins =
  (...signatures: (string | number[])[]) =>
  (head: Buffer): boolean =>
    signatures.some((signature) => {
      const bytes = typeof signature === 'string' ? Buffer.from(signature, 'latin1') : Buffer.from(signature)
      return head.subarray(0, bytes.length).equals(bytes)
    })

/** ISO media: the brand says which picture it is. */
const isBrand =
  (brands: RegExp) =>
  (head: Buffer): boolean =>
    head.toString('latin1', 4, 8) === 'ftyp' && brands.test(head.toString('latin1', 8, 40))

const isZipOf =
  (entries: RegExp) =>
  (head: Buffer): boolean =>
    begins('PK\u0003\u0004')(head) && entries.test(head.toString('latin1'))

const isOle = begins([0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1])
const isOoxml = isZipOf(/\[Content_Types\]\.xml|_rels\/\.rels/)
const isOpenDocument = isZipOf(/^.{26,80}mimetypeapplication\/vnd\.oasis\.opendocument\./s)

/** Text that does not begin as a page or a picture made of markup would; logs may quote either. */
function isText(head: Buffer): boolean {
  const isWide = begins([0xff, 0xfe], [0xfe, 0xff])(head)
  if (!isWide && head.includes(0)) return false
  const text = head.toString('latin1').replaceAll('\0', '')
  return !/^(?:\u00ef\u00bb\u00bf|\u00ff\u00fe|\u00fe\u00ff)?\s*(<!--[\s\S]{0,8000}?-->\s*)*<(!doctype|html|head|body|script|svg|iframe|\?xml|\?php|%)/i.test(
    text,
  )
}

const ooxml = 'application/vnd.openxmlformats-officedocument'
const kinds: Record<string, AttachmentKind> = {
  png: { type: 'image', mime: 'image/png', looksRight: begins('\u0089PNG\r\n\u001a\n') },
  jpg: { type: 'image', mime: 'image/jpeg', looksRight: begins([0xff, 0xd8, 0xff]) },
  gif: { type: 'image', mime: 'image/gif', looksRight: begins('GIF87a', 'GIF89a') },
  webp: {
    type: 'image',
    mime: 'image/webp',
    looksRight: (head) => begins('RIFF')(head) && head.toString('latin1', 8, 12) === 'WEBP',
  },
  avif: { type: 'image', mime: 'image/avif', looksRight: isBrand(/avi[fs]/) },
  heic: { type: 'image', mime: 'image/heic', looksRight: isBrand(/hei[cxs]|hevc|mif1/) },
  bmp: { type: 'image', mime: 'image/bmp', looksRight: begins('BM') },
  tiff: { type: 'image', mime: 'image/tiff', looksRight: begins('II*\0', 'MM\0*') },
  pdf: { type: 'pdf', mime: 'application/pdf', looksRight: begins('%PDF-') },
  doc: { type: 'document', mime: 'application/msword', looksRight: isOle },
  xls: { type: 'document', mime: 'application/vnd.ms-excel', looksRight: isOle },
  ppt: { type: 'document', mime: 'application/vnd.ms-powerpoint', looksRight: isOle },
  docx: { type: 'document', mime: `${ooxml}.wordprocessingml.document`, looksRight: isOoxml },
  xlsx: { type: 'document', mime: `${ooxml}.spreadsheetml.sheet`, looksRight: isOoxml },
  pptx: { type: 'document', mime: `${ooxml}.presentationml.presentation`, looksRight: isOoxml },
  odt: { type: 'document', mime: 'application/vnd.oasis.opendocument.text', looksRight: isOpenDocument },
  ods: { type: 'document', mime: 'application/vnd.oasis.opendocument.spreadsheet', looksRight: isOpenDocument },
  odp: { type: 'document', mime: 'application/vnd.oasis.opendocument.presentation', looksRight: isOpenDocument },
  rtf: { type: 'document', mime: 'application/rtf', looksRight: begins('{\\rtf') },
  txt: { type: 'text', mime: 'text/plain', looksRight: isText },
  csv: { type: 'text', mime: 'text/csv', looksRight: isText },
}
const sameAs: Record<string, string> = {
  jpeg: 'jpg',
  jpe: 'jpg',
  tif: 'tiff',
  heif: 'heic',
  log: 'txt',
  md: 'txt',
  tsv: 'csv',
}

/** What runs somewhere, when it stands before the last dot: some servers and mail programs look at any extension. */
const running =
  /^(html?|xhtml|xht|shtml|svgz?|xml|xslt?|m?js|cjs|jsx|vb[se]|ws[cfh]|hta|exe|com|scr|pif|bat|cmd|ps1|ms[ip]|dll|jar|php\d?|pht|phtml|phar|aspx?|ashx|jspx?|cgi|pl|py|rb|sh|bash|lnk|url|desktop|htaccess|htpasswd|eml|mht|mhtml|swf|apk|app|dmg|iso|vhdx?|chm|hlp|reg|inf|xll|do[ct]m|xl[st]m|pp[st]m)$/

/** How much of a file's beginning is looked at. */
export const headBytes = 16_384

/**
 * The name as it is shown: of its path the last part, without controls, zero-width signs and the marks that turn text
 * around, in one form of writing each letter. What the checks look at is this, and nothing earlier.
 */
export function normalizeName(name: string): string {
  const base = name
    .normalize('NFKC')
    .replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu, '')
    .split(/[/\\]/)
    .at(-1)!
  const clean = base
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/[:*?"<>|]/g, '_')
    .replaceAll(/^[.\s]+|[.\s]+$/g, '')
  if (clean.length <= 150) return clean
  const dot = clean.lastIndexOf('.')
  const extension = dot > 0 ? clean.slice(dot).slice(0, 12) : ''
  return clean.slice(0, 150 - extension.length).toWellFormed() + extension
}

/** By the normalised name alone; throws what the person should read. */
export function kindOfName(name: string): AttachmentKind {
  const parts = name
    .toLowerCase()
    .split('.')
    .map((part) => part.trim())
  const extension = parts.length > 1 ? parts.at(-1)! : ''
  const canonical = sameAs[extension] ?? extension
  const kind = Object.hasOwn(kinds, canonical) ? kinds[canonical] : undefined
  const hidden = parts.slice(1, -1).find((part) => running.test(part))
  if (kind && !hidden) return kind
  throw refused(
    hidden ? `A name with .${hidden} in it is not taken: rename the file.` : `Files of this kind are not taken.`,
  )
}

export function requireContent(kind: AttachmentKind, head: Buffer): void {
  if (!kind.looksRight(head)) throw refused('What is in this file is not what its name says.')
}

/** In a storage key only plain letters stand, whatever the name is written in. */
export function keyName(name: string): string {
  const dot = name.lastIndexOf('.')
  const [stem, extension] = [name.slice(0, dot), name.slice(dot + 1)]
  const plain = stem
    .normalize('NFKD')
    .replaceAll(/[^A-Za-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 80)
  return `${plain || 'file'}.${extension.toLowerCase()}`
}

function refused(why: string): UnsupportedMedia {
  return new UnsupportedMedia(
    'file_type',
    `${why} Send pictures (JPEG, PNG, GIF, WebP, AVIF, HEIC, BMP, TIFF), PDF, office documents without macros, or texts ` +
      '(.txt, .log, .md, .csv, .tsv).',
  )
}
