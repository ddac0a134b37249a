/** The mails that Rapport itself writes (confirmations, links, invitations): one look, HTML and text of the same words. */
import { randomUUID } from 'node:crypto'
import type { Mailbox, OutgoingMail } from './mail.ts'

export interface Notice {
  language: 'en' | 'fr' | 'ro'
  from: Mailbox
  to: Mailbox
  subject: string
  paragraphs: string[]
  button?: { label: string; url: string }
  footer?: string
}

/** Marked as automatic, so that nobody's holiday reply answers it. */
export function composeNotice(notice: Notice): OutgoingMail {
  const { from, to, subject } = notice
  return {
    from,
    to,
    subject,
    text: toText(notice),
    html: toHtml(notice),
    headers: { 'Auto-Submitted': 'auto-generated' },
    messageId: `<${randomUUID()}@${from.address.slice(from.address.lastIndexOf('@') + 1)}>`,
  }
}

function toText({ paragraphs, button, footer }: Notice): string {
  const parts = [
    ...paragraphs,
    ...(button ? [`${button.label}:\n${button.url}`] : []),
    ...(footer ? ['-- ', footer] : []),
  ]
  return `${parts.join('\n\n')}\n`
}

function toHtml({ language, subject, paragraphs, button, footer }: Notice): string {
  const text = paragraphs.map((paragraph) => `<p style="margin:0 0 16px">${escape(paragraph)}</p>`)
  const link = button
    ? `<p style="margin:24px 0"><a href="${escape(button.url)}" style="display:inline-block;padding:12px 22px;border-radius:8px;` +
      `background:#2f5bd7;color:#ffffff;font-weight:600;text-decoration:none">${escape(button.label)}</a></p>`
    : ''
  const end = footer ? `<p style="margin:24px 0 0;font-size:14px;opacity:.7">${escape(footer)}</p>` : ''
  return `<!doctype html>
<html lang="${language}"><head><meta charset="utf-8"><meta name="color-scheme" content="light dark"><title>${escape(subject)}</title></head>
<body style="margin:0;padding:24px;font:16px/1.5 system-ui,sans-serif">
<div style="max-width:520px;margin:0 auto">${text.join('\n')}${link}${end}</div>
</body></html>
`
}

function escape(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
