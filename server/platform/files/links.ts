// Download links of our own, for storages that have none, and the headers every file of a user is served with.
import type { Tokens } from '#platform/crypto/tokens.ts'
import type { SignedUrlOptions } from './files.ts'

export type FileLinks = {
  make(key: string, options: SignedUrlOptions): string
  /** What a token allows to be downloaded, or null: forged, altered or expired. */
  verify(token: string): FileLink | null
}

export type FileLink = { key: string; downloadName: string; type: string }

const PURPOSE = 'file.download'
const TYPE = /^[a-z0-9][a-z0-9!#$&^_.+-]{0,63}\/[a-z0-9][a-z0-9!#$&^_.+-]{0,63}$/

/** `baseUrl` is the address of the route that serves links, without a trailing slash; the token becomes the last segment. */
export function createFileLinks(tokens: Tokens, baseUrl: string): FileLinks {
  return {
    make(key, { expiresInMs, downloadName, type = '' }) {
      const expiresAt = new Date(Date.now() + expiresInMs)
      return `${baseUrl}/${tokens.sign(PURPOSE, { k: key, n: downloadName.slice(0, 255), t: type }, { expiresAt })}`
    },
    verify(token) {
      const link = tokens.openObject(PURPOSE, token)
      if (!link || typeof link.k !== 'string' || typeof link.n !== 'string' || typeof link.t !== 'string') return null
      return { key: link.k, downloadName: link.n, type: link.t }
    },
  }
}

/**
 * Headers that keep a file from doing anything but being saved: a page or an image with scripts that somebody uploaded
 * must never run in our origin, whatever its type claims to be.
 */
export function downloadHeaders({
  downloadName,
  type,
}: Pick<FileLink, 'downloadName' | 'type'>): Record<string, string> {
  return {
    'content-type': safeType(type),
    'content-disposition': contentDisposition(downloadName),
    'x-content-type-options': 'nosniff',
    'content-security-policy': "default-src 'none'; sandbox",
    'cross-origin-resource-policy': 'same-origin',
    'referrer-policy': 'no-referrer',
    'cache-control': 'private, no-store',
  }
}

/** A type that is none, or not known, means nothing to a browser. */
export function safeType(type: string): string {
  return TYPE.test(type) ? type : 'application/octet-stream'
}

/** RFC 6266: an ASCII name for old clients, the real one percent-encoded. Paths, controls and text direction marks go. */
export function contentDisposition(downloadName: string): string {
  const name =
    downloadName
      .normalize('NFC')
      .replace(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu, '')
      .replace(/[/\\:*?"<>|]/g, '_')
      .replace(/^[.\s]+|[.\s]+$/g, '')
      .slice(0, 150)
      .toWellFormed() || 'file'
  const plain = name.replace(/[^\x20-\x7e]/g, '_').replace(/[%;]/g, '_')
  const encoded = encodeURIComponent(name).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
  return `attachment; filename="${plain}"; filename*=UTF-8''${encoded}`
}
