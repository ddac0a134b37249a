/**
 * Makes a safe picture of whatever was sent as one: judged by its content, first frame, upright, a centred square, without
 * metadata, encoded anew. Nothing of the bytes that came in is kept, so a file that is also something else is harmless.
 */
import { Invalid, UnsupportedMedia } from '#platform/errors.ts'

export const pictureSizes = [512, 128] as const
export type PictureSize = (typeof pictureSizes)[number]

export const pictureBytesMax = 5_000_000

const pixelsMax = 40_000_000
const side = { min: 8, max: 16_000 } as const
/** Decoding in a picture's own pace is no reason to keep a person waiting. */
const timeoutSeconds = 5

export async function makePicture(source: Buffer): Promise<Record<PictureSize, Buffer>> {
  requireKnownKind(source)
  // Loaded with the first picture: the library is large, and most processes never see one.
  const { default: sharp } = await import('sharp')
  sharp.cache(false)
  const open = () =>
    sharp(source, { limitInputPixels: pixelsMax, failOn: 'error', sequentialRead: true }).timeout({
      seconds: timeoutSeconds,
    })
  const { autoOrient, format } = await open().metadata().catch(refuse)
  if (!['jpeg', 'png', 'webp', 'gif', 'heif'].includes(format)) throw unknownKind()
  const { width, height } = autoOrient
  if (Math.min(width, height) < side.min || Math.max(width, height) > side.max || width * height > pixelsMax) {
    throw Invalid.at(
      '/file',
      'picture_size',
      `A picture is ${side.min} to ${side.max} pixels wide and high, and has at most ${pixelsMax / 1_000_000} megapixels; this one is ${width} × ${height}.`,
    )
  }
  const edge = Math.min(width, height)
  // The square is cut out before it is scaled: a strip that is scaled first becomes enormous.
  const square = { left: (width - edge) >> 1, top: (height - edge) >> 1, width: edge, height: edge }
  const large = await open()
    .autoOrient()
    .extract(square)
    .resize(pictureSizes[0], pictureSizes[0], { fit: 'fill' })
    .webp({ quality: 82 })
    .toBuffer()
    .catch(refuse)
  const small = await sharp(large).resize(pictureSizes[1], pictureSizes[1]).webp({ quality: 80 }).toBuffer()
  return { 512: large, 128: small }
}

/** The first bytes of the five kinds; looked at here, so that no other decoder of the library ever sees the file. */
function requireKnownKind(source: Buffer): void {
  const text = source.toString('latin1', 0, 32)
  const isKnown =
    text.startsWith('\u00ff\u00d8\u00ff') ||
    text.startsWith('\u0089PNG\r\n\u001a\n') ||
    /^GIF8[79]a/.test(text) ||
    (text.startsWith('RIFF') && text.slice(8, 12) === 'WEBP') ||
    (text.slice(4, 8) === 'ftyp' && /avif|avis/.test(text.slice(8)))
  if (!isKnown) throw unknownKind()
}

function unknownKind(): UnsupportedMedia {
  return new UnsupportedMedia(
    'unsupported_picture',
    'Send a picture in JPEG, PNG, WebP, GIF or AVIF. Others, SVG among them, are not taken.',
  )
}

function refuse(): never {
  throw Invalid.at('/file', 'unreadable_picture', 'This picture cannot be read: it is broken, or far too large.')
}
