/** The mail that brings a report. */
import type { NoticeText } from '#platform/mail/notice.ts'
import type { Language } from './labels.ts'

export interface Brought {
  name: string
  workspace: string
  /** In the language of the mail. */
  day: string
  rows: number
  scheduledBy: string
}

export function reportMail(
  language: Language,
  { name, workspace, day, rows, scheduledBy }: Brought,
): Required<Pick<NoticeText, 'subject' | 'paragraphs' | 'footer'>> {
  switch (language) {
    case 'fr':
      return {
        subject: `${name} – ${day}`,
        paragraphs: [
          `Voici le rapport « ${name} » de ${workspace}, du ${day}.`,
          rows
            ? `Lignes : ${rows}. Le fichier est joint.`
            : 'Aucun groupe ne correspond cette fois. Le fichier est joint.',
        ],
        footer: `Vous recevez ce message parce que ${scheduledBy} l’a planifié dans ${workspace}. Pour l’arrêter, répondez-lui ou modifiez la planification du rapport.`,
      }
    case 'ro':
      return {
        subject: `${name} – ${day}`,
        paragraphs: [
          `Iată raportul „${name}” de la ${workspace}, din ${day}.`,
          rows
            ? `Rânduri: ${rows}. Fișierul este atașat.`
            : 'Niciun grup nu corespunde de data aceasta. Fișierul este atașat.',
        ],
        footer: `Primiți acest mesaj pentru că ${scheduledBy} l-a programat în ${workspace}. Pentru a-l opri, scrieți-i sau schimbați programarea raportului.`,
      }
    case 'en':
      return {
        subject: `${name} – ${day}`,
        paragraphs: [
          `Here is the report “${name}” of ${workspace}, of ${day}.`,
          rows ? `Rows: ${rows}. The file is attached.` : 'No group matches this time. The file is attached.',
        ],
        footer: `You get this because ${scheduledBy} scheduled it in ${workspace}. To stop it, ask them, or change the schedule of the report.`,
      }
    default:
      return language satisfies never
  }
}
