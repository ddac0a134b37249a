/** Reads the text of a PDF back, page by page, without the library that wrote it. */
import { inflateSync } from 'node:zlib'

export function readPdf(file: Buffer): { pages: string[] } {
  const objects = readObjects(file)
  const pages = [...objects.values()].filter(({ head }) => /\/Type \/Page\b/.test(head))
  return { pages: pages.map((page) => pageText(page.head, objects)) }
}

interface PdfObject {
  head: string
  content: string
}

function readObjects(file: Buffer): Map<string, PdfObject> {
  const text = file.toString('latin1')
  const objects = new Map<string, PdfObject>()
  for (const match of text.matchAll(/(\d+) 0 obj\n([\s\S]*?)endobj/g)) {
    const [, id = '', body = ''] = match
    const [head = '', ...rest] = body.split(/stream\r?\n/)
    const stream = rest.join('stream\n').replace(/\n?endstream\s*$/, '')
    const raw = Buffer.from(stream, 'latin1')
    const content = raw.length && head.includes('FlateDecode') ? inflateSync(raw).toString('latin1') : stream
    objects.set(id, { head, content })
  }
  return objects
}

function pageText(page: string, objects: Map<string, PdfObject>): string {
  const follow = (head: string, name: string) => objects.get(new RegExp(`/${name} (\\d+) 0 R`).exec(head)?.[1] ?? '')
  const resources = follow(page, 'Resources')?.head ?? page
  const fonts = new Map(
    [...resources.matchAll(/\/(F\d+) (\d+) 0 R/g)].map(([, name = '', id = '']) => [
      name,
      readMap(follow(objects.get(id)?.head ?? '', 'ToUnicode')?.content ?? ''),
    ]),
  )
  let shown = ''
  let letters = new Map<number, string>()
  for (const line of (follow(page, 'Contents')?.content ?? '').split('\n')) {
    const font = /^\/(F\d+) [\d.]+ Tf/.exec(line)?.[1]
    if (font) letters = fonts.get(font) ?? new Map<number, string>()
    if (!line.endsWith('TJ')) continue
    for (const [, hex = ''] of line.matchAll(/<([0-9a-f]+)>/gi)) {
      for (const code of hex.match(/.{4}/g) ?? []) shown += letters.get(Number.parseInt(code, 16)) ?? '\ufffd'
    }
  }
  return shown
}

function readMap(map: string): Map<number, string> {
  const letters = new Map<number, string>()
  const textOf = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex').swap16().toString('utf16le')
  for (const [, first = '', list = ''] of map.matchAll(/<([0-9a-f]{4})> <[0-9a-f]{4}> \[([^\]]*)\]/gi)) {
    const start = Number.parseInt(first, 16)
    const items = [...list.matchAll(/<([0-9a-f ]+)>/gi)]
    items.forEach(([, hex = ''], index) => letters.set(start + index, textOf(hex)))
  }
  return letters
}
