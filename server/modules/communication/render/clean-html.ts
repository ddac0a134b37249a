/**
 * HTML of a mail, made fit to be shown in a page: no scripts, forms, frames, or styles that load or cover anything.
 * The page shows it in a sandboxed frame besides; either of the two would do.
 */
import sanitize from 'sanitize-html'

export interface Cleaned {
  html: string
  /** Pictures from elsewhere, which tell their server that somebody looks. */
  remoteImages: number
}

const tags =
  'html head body style a abbr address article b bdi bdo blockquote br caption center cite code col colgroup dd del dfn div dl dt em ' +
  'figcaption figure font footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd li main mark nav ol p pre q s samp section small ' +
  'span strike strong sub sup table tbody td tfoot th thead tr tt u ul var wbr'
const attributes =
  'align alt bgcolor border cellpadding cellspacing class color colspan dir face height href hspace id lang nowrap rel ' +
  'role rowspan size src style target title valign vspace width'
// A style may not load, execute, or leave its place; escapes could hide that it does.
const harmfulStyle =
  /url\s*\(|image-set\s*\(|src\s*\(|@import|expression|behavior|-moz-binding|position\s*:\s*(fixed|sticky)|[\\<]|\/\*/i

export function cleanHtml(html: string): Cleaned {
  let remoteImages = 0
  const cleaned = sanitize(html.slice(0, 5_000_000), {
    allowedTags: tags.split(' '),
    allowedAttributes: { '*': attributes.split(' ') },
    allowedSchemes: ['http', 'https', 'mailto', 'tel'],
    allowedSchemesByTag: { img: ['http', 'https', 'data', 'cid'] },
    allowProtocolRelative: false,
    allowVulnerableTags: true, // `style`, whose content is judged below
    nonTextTags: ['script', 'style', 'textarea', 'option', 'noscript', 'title', 'svg', 'math', 'template'],
    nestingLimit: 200,
    parseStyleAttributes: false,
    exclusiveFilter: (frame) => frame.tag === 'style' && harmfulStyle.test(frame.text),
    transformTags: {
      '*': (tagName, found) => {
        const { style, ...rest } = found
        return { tagName, attribs: style === undefined || harmfulStyle.test(style) ? rest : found }
      },
      a: (tagName, found) => {
        const { style, ...rest } = found
        const safe = style === undefined || harmfulStyle.test(style) ? rest : found
        return { tagName, attribs: { ...safe, target: '_blank', rel: 'noopener noreferrer nofollow' } }
      },
      img: (tagName, found) => {
        const { style, ...rest } = found
        const safe = style === undefined || harmfulStyle.test(style) ? rest : found
        if (/^https?:/i.test(found.src ?? '')) remoteImages++
        else if (found.src && !/^(cid:|data:image\/(png|jpe?g|gif|webp);)/i.test(found.src)) safe.src = ''
        return { tagName, attribs: safe }
      },
    },
  })
  return { html: cleaned, remoteImages }
}
