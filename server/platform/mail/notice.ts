/**
 * Short mails that the program itself writes (a reset, an invitation, a confirmation): a few paragraphs and at most one
 * button. Inline styles alone, and colours that survive the dark modes of mail programs; the text part says the same.
 */
import type { Config } from '#server/config.ts'
import { newId } from '../ids.ts'
import { readDkimKey } from './dkim.ts'
import type { Attachment, Mailbox, MailTransport, OutgoingMail } from './mail.ts'

export type NoticeLanguage = 'en' | 'fr' | 'ro'

export interface NoticeText {
  subject: string
  paragraphs: string[]
  button?: { label: string; url: string } | undefined
  /** Small print: why this mail came. */
  footer?: string | undefined
  attachments?: readonly Attachment[] | undefined
}

export interface NoticeOptions extends NoticeText {
  language: NoticeLanguage
  from: Mailbox
  to: Mailbox
}

const linkHint: Record<NoticeLanguage, string> = {
  en: 'If the button does not work, copy this address into your browser:',
  fr: 'Si le bouton ne fonctionne pas, copiez cette adresse dans votre navigateur :',
  ro: 'Dacă butonul nu funcționează, copiați această adresă în browser:',
}

/** The whole mail; `Auto-Submitted` keeps vacation notices from answering it. */
export function composeNotice(options: NoticeOptions): OutgoingMail {
  const { from, to, subject } = options
  return {
    from,
    to,
    subject,
    text: composeText(options),
    html: composeHtml(options),
    ...(options.attachments ? { attachments: options.attachments } : {}),
    headers: { 'Auto-Submitted': 'auto-generated' },
    messageId: `<${newId()}@${from.address.split('@').at(-1) ?? 'localhost'}>`,
  }
}

/**
 * Sends a notice in the installation's own name. Throws where a later try may succeed, so that its job tries again.
 * `workspaceId` says in whose sandbox inbox it is kept, where nothing really goes out.
 */
export async function sendNotice(
  { config, mail }: { config: Config; mail: MailTransport },
  { workspaceId, ...notice }: NoticeText & { language: NoticeLanguage; to: Mailbox; workspaceId?: string },
): Promise<{ outcome: string }> {
  const from = { address: config.mail.from, name: config.mail.fromName }
  const dkim = config.dkim ? readDkimKey(config.dkim) : undefined
  const handover = await mail.send({
    ...composeNotice({ ...notice, from }),
    dkim,
    ...(workspaceId ? { context: { workspaceId } } : {}),
  })
  if (handover.outcome === 'deferred') throw new Error(`the mail server asks for patience: ${handover.response}`)
  return { outcome: handover.outcome }
}

function composeText({ paragraphs, button, footer }: NoticeOptions): string {
  const parts = [
    ...paragraphs,
    ...(button ? [`${button.label}:\n${button.url}`] : []),
    ...(footer ? ['--', footer] : []),
  ]
  return `${parts.join('\n\n')}\n`
}

function composeHtml({ language, subject, paragraphs, button, footer }: NoticeOptions): string {
  const body = paragraphs.map((text) => `<p style="margin:0 0 16px">${escapeHtml(text)}</p>`).join('\n')
  const small = 'margin:0 0 16px;font-size:13px;color:#6b7280'
  const action = button
    ? `<p style="margin:24px 0"><a href="${escapeHtml(button.url)}" style="display:inline-block;padding:12px 20px;border-radius:8px;background-color:#3b5bdb;color:#ffffff;text-decoration:none;font-weight:600">${escapeHtml(button.label)}</a></p>
<p style="${small}">${escapeHtml(linkHint[language])}<br><a href="${escapeHtml(button.url)}" style="color:#6b7280;word-break:break-all">${escapeHtml(button.url)}</a></p>`
    : ''
  const end = footer ? `<p style="${small};margin-top:32px">${escapeHtml(footer)}</p>` : ''
  return `<!doctype html>
<html lang="${language}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark"><title>${escapeHtml(subject)}</title></head>
<body style="margin:0;padding:24px;font-family:system-ui,-apple-system,'Segoe UI',Roboto,Arial,sans-serif;font-size:16px;line-height:1.5">
<div style="max-width:520px;margin:0 auto">
${body}
${action}
${end}
</div>
</body>
</html>
`
}

function escapeHtml(text: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? character)
}
