/**
 * Finds the links of an HTML or text template once, so that no mail has to be parsed: each web address is wrapped in a
 * block that the composer fills in for each person (`compile.ts`, `rapport-link`).
 */
import { isWebAddress, linkBlock } from './compile.ts'
import { scanExpressions } from './expressions.ts'
import { maskExpressions, startsWithMask } from './masks.ts'
import { decodeEntities } from './values.ts'

export interface Link {
  number: number
  /** As the author wrote it; it holds `{{…}}` where each person gets an address of their own. */
  url: string
  fixed: boolean
}

/** Links with the same address count as one. */
export class LinkTable {
  readonly links: Link[] = []
  private readonly byUrl = new Map<string, Link>()

  /** The address wrapped for rendering, or null where it is none to be followed. */
  wrap(url: string, written: string): string | null {
    if (/unsubscribe_url|preferences_url/.test(url)) return null
    const fixed = !url.includes('{{')
    if (fixed ? !isWebAddress(url) || url.length > 2_000 : !/^(https?:\/\/|\{\{)/i.test(url)) return null
    let link = this.byUrl.get(url)
    if (!link) {
      link = { number: this.links.length, url, fixed }
      this.byUrl.set(url, link)
      this.links.push(link)
    }
    return `{{#${linkBlock} ${link.number}${fixed ? ' true' : ''}}}${written}{{/${linkBlock}}}`
  }
}

interface Attribute {
  start: number
  end: number
  quoted: boolean
}

/** The template with each `href` of `<a>` and `<area>` wrapped. */
export function wrapHtmlLinks(html: string, table: LinkTable): string {
  const { text, unmask } = maskExpressions(html, scanExpressions(html))
  let wrapped = ''
  let from = 0
  for (const { start, end, quoted } of findHrefs(text)) {
    const written = unmask(text.slice(start, end))
    const replacement = table.wrap(decodeEntities(written).trim(), written.trim())
    if (replacement === null) continue
    wrapped += unmask(text.slice(from, start)) + (quoted ? replacement : `"${replacement}"`)
    from = end
  }
  return wrapped + unmask(text.slice(from))
}

/** Bare addresses in a text; what stands in brackets behind a link's words is one as well when it is an expression. */
export function wrapTextLinks(text: string, table: LinkTable): string {
  const masked = maskExpressions(text, scanExpressions(text))
  const replaced = masked.text.replaceAll(/https?:\/\/[^\s\]<>"')]{1,2000}|\[\uE0F0\d+\uE0F1\]/gi, (found) => {
    const bracketed = startsWithMask(found.slice(1))
    const address = bracketed ? found.slice(1, -1) : found.replace(/[.,;:!?]+$/, '')
    const written = masked.unmask(address)
    const replacement = table.wrap(written, written)
    if (replacement === null) return found
    return bracketed ? `[${replacement}]` : replacement + found.slice(address.length)
  })
  return masked.unmask(replaced)
}

/** One pass over the document; every search that fails ends it, so that hostile HTML costs no more than its length. */
function* findHrefs(html: string): Generator<Attribute> {
  for (let at = html.indexOf('<'); at !== -1; at = html.indexOf('<', at)) {
    if (html.startsWith('<!--', at)) {
      const end = html.indexOf('-->', at + 4)
      if (end === -1) return
      at = end + 3
      continue
    }
    const name = /^<([a-z][a-z0-9]*)/i.exec(html.slice(at, at + 20))?.[1]?.toLowerCase()
    if (!name) {
      at++
      continue
    }
    const { attributes, end } = readTag(html, at + 1 + name.length)
    if (end === -1) return
    if (name === 'a' || name === 'area') {
      const href = attributes.find((attribute) => attribute.name === 'href')
      if (href) yield href
    }
    at = name === 'style' || name === 'script' ? closingTag(html, name, end) : end
    if (at === -1) return
  }
}

function closingTag(html: string, name: string, from: number): number {
  const closing = new RegExp(`</${name}`, 'gi')
  closing.lastIndex = from
  return closing.exec(html)?.index ?? -1
}

function readTag(html: string, from: number): { attributes: (Attribute & { name: string })[]; end: number } {
  const attributes: (Attribute & { name: string })[] = []
  const token = /\s+|\/|>|([^\s=>/"']+)(\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?|./gsy
  token.lastIndex = from
  for (let found = token.exec(html); found; found = token.exec(html)) {
    if (found[0] === '>') return { attributes, end: token.lastIndex }
    const value = found[3] ?? found[4] ?? found[5]
    if (value === undefined) continue
    const quoted = found[5] === undefined
    const end = token.lastIndex - (quoted ? 1 : 0)
    attributes.push({ name: found[1]!.toLowerCase(), start: end - value.length, end, quoted })
  }
  return { attributes, end: -1 }
}
