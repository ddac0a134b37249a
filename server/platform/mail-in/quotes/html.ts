/**
 * The reply in an HTML body, cleaned and without what it quotes: as HTML that is safe to show, and as text. The cleaning comes
 * first, so that what is read here is always well-formed; whatever a browser might make of the original no longer matters.
 */
import sanitize from 'sanitize-html'
import { judgeLines, type Line } from './judge.ts'
import { isForwardSubject } from './signs.ts'

export interface StrippedHtml {
  /** Without styles, scripts, forms and pictures from elsewhere. */
  html: string
  text: string
}

const charactersMax = 1_000_000
const blocks = new Set(
  'address article aside blockquote center dd div dl dt figure footer h1 h2 h3 h4 h5 h6 header hr li main ol p pre section table tr ul'.split(
    ' ',
  ),
)
const cells = new Set(['td', 'th'])
const voids = new Set(['br', 'hr', 'img'])
const kept =
  'a b i em strong u s del ins sub sup small code pre p div span br hr blockquote ul ol li dl dt dd h1 h2 h3 h4 h5 h6 table thead tbody tfoot tr td th img center address'

export function stripQuotedHtml(html: string, subject = ''): StrippedHtml {
  const tokens = tokensOf(clean(html.slice(0, charactersMax), hintsToo))
  const lines = linesOf(tokens)
  const keep = isForwardSubject(subject) ? lines.map(() => true) : judgeLines(lines)
  const rest = tokens.filter((token) => token.kind === 'tag' || keep[token.line]).map((token) => token.raw)
  const text = lines
    .filter((_, at) => keep[at])
    .map((line) => `${'> '.repeat(line.depth)}${line.text}`.trimEnd())
    .join('\n')
    .replaceAll(/\n{3,}/g, '\n\n')
    .trim()
  return { html: withoutEmpty(clean(rest.join(''), {})), text }
}

/** Marks by which mail programs tell their quotations; they do not outlive the reading. */
const hintsToo = { '*': ['class', 'id', 'type'] }

function clean(html: string, extra: Record<string, string[]>): string {
  return sanitize(html, {
    allowedTags: kept.split(' '),
    allowedAttributes: { ...extra, a: ['href', ...(extra['*'] ?? [])], img: ['alt'] },
    allowedSchemes: ['http', 'https', 'mailto', 'tel'],
    allowProtocolRelative: false,
    nonTextTags: ['script', 'style', 'textarea', 'option', 'noscript', 'title', 'svg', 'math', 'template', 'head'],
    nestingLimit: 100,
    transformTags: {
      a: (tagName, attribs) => ({ tagName, attribs: { ...attribs, rel: 'noopener noreferrer nofollow' } }),
    },
  })
}

type Token = { raw: string; line: number } & (
  | { kind: 'tag'; name: string; isEnd: boolean; attributes: string }
  | { kind: 'text' | 'void'; name: string; attributes: string }
)

/** Of cleaned HTML: every "<" begins a tag, and no attribute holds a ">". */
function tokensOf(html: string): Token[] {
  return (html.match(/<[^>]*>|[^<]+/g) ?? []).map((raw): Token => {
    const tag = /^<(\/?)([a-z0-9]+)([^>]*)>$/.exec(raw)
    if (!tag) return { kind: 'text', raw, name: '', attributes: '', line: 0 }
    const [, slash, name = '', attributes = ''] = tag
    if (voids.has(name)) return { kind: 'void', raw, name, attributes, line: 0 }
    return { kind: 'tag', raw, name, isEnd: slash === '/', attributes, line: 0 }
  })
}

/** Gives each token the number of its line. */
function linesOf(tokens: Token[]): Line[] {
  const lines: Line[] = [{ text: '', depth: 0 }]
  const open: { name: string; quotes: boolean }[] = []
  let depth = 0
  const fresh = (): void => {
    if (lines.at(-1)!.text.trim()) lines.push({ text: '', depth })
    else lines.at(-1)!.depth = depth
  }
  for (const token of tokens) {
    if (token.kind === 'tag') {
      if (blocks.has(token.name)) fresh()
      if (token.isEnd) {
        const closed = open.pop()
        if (closed?.quotes) depth--
        if (token.name === 'p') lines.push({ text: '', depth })
      } else {
        const quotes = isQuotation(token)
        if (quotes) depth++
        open.push({ name: token.name, quotes })
      }
      if (blocks.has(token.name)) fresh()
      if (cells.has(token.name) && token.isEnd) lines.at(-1)!.text += ' '
      if (!token.isEnd && endsReply(token)) lines.at(-1)!.endsReply = true
      if (!token.isEnd && isAttribution(token)) lines.at(-1)!.isAttribution = true
      token.line = lines.length - 1
      continue
    }
    token.line = lines.length - 1
    if (token.name === 'br') lines.push({ text: '', depth })
    else if (token.name === 'hr') lines.push({ text: '_____', depth }, { text: '', depth })
    else if (token.kind === 'text') lines.at(-1)!.text += textOf(token.raw)
    if (token.name === 'hr') token.line = lines.length - 2
  }
  return lines
}

function isQuotation({ name, attributes }: Token): boolean {
  if (name === 'blockquote') return !/class="[^"]*webkit-indent/.test(attributes)
  // Not Gmail's own class: it stands around the answers between the lines as well.
  return /class="[^"]*\b(yahoo_quoted|zmail_extra)\b/.test(attributes)
}

function isAttribution({ attributes }: Token): boolean {
  return /class="[^"]*\b(gmail_attr|moz-cite-prefix)\b/.test(attributes)
}

/** Outlook puts this before the head of what it quotes. */
function endsReply({ attributes }: Token): boolean {
  return /id="(x_)*(divRplyFwdMsg|appendonsend|mail-editor-reference-message-container|ms-outlook-mobile-reference)"/i.test(
    attributes,
  )
}

const entities: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', nbsp: ' ' }

function textOf(raw: string): string {
  return raw
    .replaceAll(/&(amp|lt|gt|quot|nbsp);/g, (_, name: string) => entities[name]!)
    .replaceAll(/[\s\u00a0]+/g, ' ')
    .replace(/^ (?=\S)/, ' ')
}

/** Elements that hold nothing any more. Each round opens up those around; a few are enough for what people write. */
function withoutEmpty(html: string): string {
  let before = ''
  let after = html
  for (let round = 0; round < 12 && after !== before; round++) {
    before = after
    after = before.replaceAll(
      /<(div|p|span|blockquote|ul|ol|li|table|thead|tbody|tfoot|tr|b|i|em|strong|u|a|pre|center)(?: [^<>]*)?>(\s|&nbsp;|<br \/>)*<\/\1>/g,
      '',
    )
  }
  return after
    .replace(/^(\s|<br \/>|<hr \/>)+/, '')
    .replace(/(\s|<br \/>|<hr \/>)+$/, '')
    .trim()
}
