/**
 * The mails of a campaign: the content is prepared once, and each person's mail is then a walk over closures. Links are
 * found when the campaign is prepared, never in a finished mail.
 */
import { endMark } from './compile.ts'
import { scanExpressions } from './expressions.ts'
import { footerHtml, footerText, type FooterFacts } from './footer.ts'
import { LinkTable, wrapHtmlLinks, wrapTextLinks, type Link } from './links.ts'
import { maskExpressions } from './masks.ts'
import { toPlainText } from './plain-text.ts'
import { toSettings, type Hooks, type Settings } from './run.ts'
import {
  compileMail,
  compileTemplate,
  faultOf,
  isFault,
  toSubject,
  type MailFault,
  type MailSource,
} from './template.ts'
import { escapeHtml } from './values.ts'

export interface MessageOptions {
  /** Without a trailing slash; tracked links and the pixel live under it. */
  publicUrl: string
  workspace: { name: string; postalAddress: string | null; language: string; timezone: string; currency: string }
  campaign: { name: string }
  /** The campaign's own fields, as `{{promo_title}}`. They cannot hide what every mail has, such as `contact`. */
  data?: Record<string, unknown>
}

export interface Recipient {
  /** Offered as `contact` and as `customer`. */
  contact: Record<string, unknown>
  /** Null takes the workspace's. */
  language?: string | null
  timezone?: string | null
  /** Fields for this person alone; they go before the campaign's. */
  data?: Record<string, unknown>
}

export interface MessageLinks {
  /** Null sends no pixel: the person did not allow it. */
  openToken: string | null
  /** Token of one link; `target` is the address where each person has an own one. Null sends the plain addresses. */
  linkToken: ((number: number, target: string | null) => string) | null
  unsubscribeUrl: string
  preferencesUrl: string
}

export interface PreparedMessage {
  /** To be kept with the campaign: clicks name them by number. */
  links: Link[]
  /** Throws RenderingStopped when the content is too much work with this person's data. */
  build(recipient: Recipient, links: MessageLinks): { subject: string; html: string; text: string }
}

// Longer addresses of one person would not fit into a link; they go out as they are.
const ownTargetBytesMax = 600

/** Compiles the content, or says what is wrong with it. */
export function prepareMessage(
  content: MailSource,
  options: MessageOptions,
): { errors: MailFault[] } | PreparedMessage {
  const asWritten = compileMail(content)
  if ('errors' in asWritten) return asWritten
  const table = new LinkTable()
  const html = compileTemplate(markEnd(wrapHtmlLinks(content.html, table)), 'html', true)
  const text = compileTemplate(wrapTextLinks(content.text || toPlainText(content.html), table), 'text', true)
  const subject = compileTemplate(content.subject, 'text')
  if (isFault(html) || isFault(text) || isFault(subject)) {
    const errors = [...faultOf('/subject', subject), ...faultOf('/body_html', html), ...faultOf('/body_text', text)]
    return { errors }
  }
  return {
    links: table.links,
    build(recipient, links) {
      const settings = settingsFor(recipient, options)
      const data = dataFor(recipient, links, options)
      const facts: FooterFacts = {
        workspaceName: options.workspace.name,
        postalAddress: options.workspace.postalAddress,
        unsubscribeUrl: links.unsubscribeUrl,
        preferencesUrl: links.preferencesUrl,
      }
      const link = linkWriter(links, options.publicUrl)
      const htmlEnd = (written: string): string =>
        (written.includes(links.unsubscribeUrl) ? '' : footerHtml(settings.language, facts)) + pixel(links, options)
      const textEnd = (written: string): string =>
        written.includes(links.unsubscribeUrl) ? '' : footerText(settings.language, facts)
      const page = html.render(data, settings, { link, end: htmlEnd })
      const plain = text.render(data, settings, { link, end: textEnd }).text
      return {
        subject: toSubject(subject.render(data, settings).text),
        html: page.ended ? page.text : page.text + htmlEnd(page.text),
        text: plain + textEnd(plain),
      }
    },
  }
}

/** The footer and the pixel belong before `</body>`, where there is one. */
function markEnd(html: string): string {
  const { text, unmask } = maskExpressions(html, scanExpressions(html))
  const at = [...text.matchAll(/<\/body/gi)].at(-1)?.index
  return at === undefined ? html : `${unmask(text.slice(0, at))}{{${endMark}}}${unmask(text.slice(at))}`
}

/** Names of people and places follow the reader; money and defaults follow the workspace. */
function settingsFor(recipient: Recipient, { workspace }: MessageOptions): Settings {
  return toSettings({
    language: recipient.language ?? workspace.language,
    timezone: recipient.timezone ?? workspace.timezone,
    currency: workspace.currency,
  })
}

function dataFor(recipient: Recipient, links: MessageLinks, options: MessageOptions): Record<string, unknown> {
  return {
    ...options.data,
    ...recipient.data,
    contact: recipient.contact,
    customer: recipient.contact,
    workspace: { name: options.workspace.name, postal_address: options.workspace.postalAddress },
    campaign: options.campaign,
    unsubscribe_url: links.unsubscribeUrl,
    preferences_url: links.preferencesUrl,
  }
}

function linkWriter({ linkToken }: MessageLinks, publicUrl: string): Hooks['link'] {
  if (!linkToken) return () => null
  return (number, target) => {
    if (target !== null && Buffer.byteLength(target) > ownTargetBytesMax) return null
    return `${publicUrl}/t/c/${linkToken(number, target)}`
  }
}

function pixel({ openToken }: MessageLinks, { publicUrl }: MessageOptions): string {
  if (openToken === null) return ''
  const source = escapeHtml(`${publicUrl}/t/o/${openToken}.gif`)
  return `<img src="${source}" width="1" height="1" alt="" style="border:0;width:1px;height:1px">`
}
