/** What a channel says: its own text, or that of the template it names, as it is when the campaign goes out. */
import type { Tx } from '#platform/db/db.ts'
import type { EmailConfig } from './campaign-shapes.ts'
import type { MailSource } from './render/template.ts'
import type { Channel } from './tables.ts'
import { getTemplate } from './templates.ts'

export async function contentOf(
  tx: Tx,
  channel: Pick<Channel, 'config' | 'content_template'> | undefined,
): Promise<MailSource> {
  const config = (channel?.config ?? {}) as EmailConfig
  const own = channel?.content_template.trim() ? channel.content_template : null
  const template = config.template_id && !own ? await getTemplate(tx, config.template_id) : null
  const html = own ?? template?.body_html ?? ''
  const preheader = config.preheader ? hidden(config.preheader) : ''
  return {
    subject: config.subject ?? template?.subject ?? '',
    html: preheader ? html.replace(/<body[^>]*>|^/i, (start) => start + preheader) : html,
    text: config.text_template ?? template?.body_text ?? null,
  }
}

/** The line that inboxes show beside the subject; it stands in the mail and is not seen there. */
function hidden(text: string): string {
  return `<div style="display:none;max-height:0;overflow:hidden">${text}</div>`
}
