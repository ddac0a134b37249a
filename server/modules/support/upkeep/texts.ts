/** What the help desk's own mails to the house say, in the languages of the program. */
import type { NoticeLanguage, NoticeText } from '#platform/mail/notice.ts'

interface Escalation {
  name: string
  workspace: string
  number: string
  hours: number
  url: string
}

export const escalationTexts: Record<NoticeLanguage, (values: Escalation) => NoticeText> = {
  en: ({ name, workspace, number, hours, url }) => ({
    subject: `Urgent ticket ${number} still has no answer`,
    paragraphs: [
      `Hello ${name},`,
      `The urgent ticket ${number} at ${workspace} has waited ${hours === 1 ? 'one hour' : `${hours} hours`} for a first answer.`,
      'Answer it, or give it to somebody who can.',
    ],
    button: { label: 'Open the ticket', url },
    footer: `You get this mail because you are an admin of ${workspace}. It is sent once for a ticket.`,
  }),
  fr: ({ name, workspace, number, hours, url }) => ({
    subject: `Le ticket urgent ${number} reste sans réponse`,
    paragraphs: [
      `Bonjour ${name},`,
      `Le ticket urgent ${number} de ${workspace} attend une première réponse depuis ${hours === 1 ? 'une heure' : `${hours} heures`}.`,
      'Répondez-y, ou confiez-le à quelqu’un qui peut le faire.',
    ],
    button: { label: 'Ouvrir le ticket', url },
    footer: `Vous recevez ce message car vous administrez ${workspace}. Il n’est envoyé qu’une fois par ticket.`,
  }),
  ro: ({ name, workspace, number, hours, url }) => ({
    subject: `Tichetul urgent ${number} nu are încă niciun răspuns`,
    paragraphs: [
      `Bună ziua, ${name},`,
      `Tichetul urgent ${number} de la ${workspace} așteaptă un prim răspuns de ${hoursInRomanian(hours)}.`,
      'Răspundeți-i sau încredințați-l cuiva care poate.',
    ],
    button: { label: 'Deschideți tichetul', url },
    footer: `Primiți acest mesaj pentru că administrați ${workspace}. Se trimite o singură dată pentru un tichet.`,
  }),
}

/** One hour, two to nineteen hours, and "de" from twenty on, by the last two digits. */
function hoursInRomanian(hours: number): string {
  if (hours === 1) return 'o oră'
  const end = hours % 100
  return end === 0 || end >= 20 ? `${hours} de ore` : `${hours} ore`
}
