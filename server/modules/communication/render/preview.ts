/** What a mail will look like, for the person who writes it: with a contact's data, or with an example's. */
import { cleanHtml } from './clean-html.ts'
import { RenderingStopped } from './faults.ts'
import { toSettings, type Settings } from './run.ts'
import { compileMail, type MailFault, type MailSource } from './template.ts'

export interface Preview {
  subject: string
  html: string
  text: string
  errors: MailFault[]
}

/** Who stands in where no contact was chosen. */
export const exampleContact = {
  email: 'maria@example.com',
  first_name: 'Maria',
  last_name: 'Dupont',
  full_name: 'Maria Dupont',
  company: 'Le Vieux Moulin',
  language: 'en',
  custom_fields: {},
}

/** Faults are part of the answer: a draft is seldom right while somebody types. The HTML is safe to show in a frame. */
export function previewMail(source: MailSource, data: Record<string, unknown>, asked: Partial<Settings> = {}): Preview {
  const compiled = compileMail(source)
  if ('errors' in compiled) return { subject: '', html: '', text: '', errors: compiled.errors }
  try {
    const { subject, html, text } = compiled.render(data, toSettings(asked))
    return { subject, html: cleanHtml(html).html, text, errors: [] }
  } catch (error) {
    if (!(error instanceof RenderingStopped)) throw error
    return { subject: '', html: '', text: '', errors: [{ pointer: '/body_html', line: 1, detail: error.message }] }
  }
}
