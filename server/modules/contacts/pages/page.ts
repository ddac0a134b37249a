/**
 * The frame of the public pages: plain HTML that needs no script, under a content policy that lets nothing else in. A
 * value gets into a page only through `html`, which escapes it.
 */
import { createHash } from 'node:crypto'
import { Reply } from '#platform/http/route.ts'
import type { Language } from '../texts.ts'
import { css } from './style.ts'

/** A piece of HTML that is already safe. */
export class Html {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

type Part = string | Html | Html[] | null

export function html(literals: TemplateStringsArray, ...parts: Part[]): Html {
  return new Html(
    literals.map((literal, index) => literal + (index < parts.length ? toText(parts[index]!) : '')).join(''),
  )
}

export interface PageContent {
  language: Language
  /** The sender's name; null where a broken link does not tell. */
  workspace: string | null
  title: string
  body: Html
}

export function showPage(content: PageContent, status = 200): Reply<string> {
  const { language, workspace, title, body } = content
  const page = html`<!doctype html>
    <html lang="${language}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="robots" content="noindex, nofollow" />
        <meta name="color-scheme" content="light dark" />
        <title>${workspace ? `${title} · ${workspace}` : title}</title>
        ${styleElement}
      </head>
      <body>
        <main>
          ${workspace ? html`<p class="sender">${workspace}</p>` : null}
          <section>
            <h1>${title}</h1>
            ${body}
          </section>
        </main>
      </body>
    </html> `
  return new Reply(status, page.text, pageHeaders)
}

/** Enough of an address to know one's own, not enough to learn somebody else's from a forwarded mail. */
export function maskAddress(email: string): string {
  const at = email.lastIndexOf('@')
  return `${email.slice(0, 1)}•••${email.slice(at)}`
}

// Written outside of the template: the hash in the policy stands for every character between the tags.
const styleElement = new Html(`<style>${css}</style>`)

const pageHeaders = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': [
    "default-src 'none'",
    `style-src 'sha256-${createHash('sha256').update(css).digest('base64')}'`,
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'x-robots-tag': 'noindex, nofollow',
}

function toText(part: Part): string {
  if (part === null) return ''
  if (part instanceof Html) return part.text
  if (Array.isArray(part)) return part.map((piece) => piece.text).join('\n')
  return part.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
