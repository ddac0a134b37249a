/** The text part of a mail whose author wrote HTML only: made once from the template, so that merge fields survive. */
import { compile } from 'html-to-text'
import { scanExpressions } from './expressions.ts'
import { maskExpressions } from './masks.ts'

const heading = { options: { uppercase: false } }
const convert = compile({
  wordwrap: false,
  limits: { maxInputLength: 2_000_000, maxDepth: 100, maxChildNodes: 20_000, maxBaseElements: 10 },
  selectors: [
    { selector: 'a', options: { hideLinkHrefIfSameAsText: true, ignoreHref: false, linkBrackets: ['[', ']'] } },
    { selector: 'img', format: 'skip' },
    ...['h1', 'h2', 'h3', 'h4', 'h5', 'h6'].map((selector) => ({ selector, ...heading })),
    { selector: 'title', format: 'skip' },
  ],
})

/** `html` is a template that compiles; so is the answer. */
export function toPlainText(html: string): string {
  const { text, unmask } = maskExpressions(html, scanExpressions(html))
  return `${unmask(convert(text)).trim()}\n`
}
