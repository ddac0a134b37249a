/** What the invented people of the mails write, in four languages, and how their programs write dates and labels. */

export type MailLanguage = 'en' | 'fr' | 'ro' | 'de'
export const mailLanguages: MailLanguage[] = ['en', 'fr', 'ro', 'de']

export interface Phrases {
  /** Three replies: one line, several paragraphs, and one that looks as if it held a quotation. */
  replies: [string, string, string]
  /** What our agent had written, line by line. */
  original: string[]
  /** Two of the agent's questions and the answers between them. */
  answers: [string, string]
  subject: string
  gmail: string
  apple: string
  thunderbird: string
  yahoo: string
  outlook: { from: string; sent: string; to: string; subject: string; when: string }
  separator: string
  forwarded: string
  device: string
}

const agent = 'Moulin Service <aide+k3j9x@moulin.example>'

export const phrases: Record<MailLanguage, Phrases> = {
  en: {
    replies: [
      'Yes, please send the blue one again.',
      'Hello Ana,\n\nthank you for the quick answer. I looked again and found this:\n\n- the box was open\n- one cup is missing\n\nCould you tell me when the parcel leaves?\n\nKind regards\nJonas Field\n+40 721 000 111',
      'On Monday your colleague told me the following:\nI should wait until 12 November 2026.\n\n5 > 3, so that is two cups short.\nFrom: the shop in Lyon I heard nothing.',
    ],
    original: [
      'Hello Jonas,',
      '',
      'which colour did you order?',
      'And was the parcel damaged when it came?',
      '',
      'Ana, Moulin Service',
    ],
    answers: ['The blue one.', 'Yes, on one side.'],
    subject: 'Re: Broken cup in my order',
    gmail: `On Tue, Nov 3, 2026 at 10:12 AM ${agent} wrote:`,
    apple: `On 3 Nov 2026, at 10:12, ${agent} wrote:`,
    thunderbird: 'On 11/3/26 10:12, Moulin Service wrote:',
    yahoo: `On Tuesday, November 3, 2026 at 10:12:45 AM GMT+1, ${agent} wrote:`,
    outlook: { from: 'From', sent: 'Sent', to: 'To', subject: 'Subject', when: 'Tuesday, November 3, 2026 10:12 AM' },
    separator: '-----Original Message-----',
    forwarded: '---------- Forwarded message ---------',
    device: 'Sent from my iPhone',
  },
  fr: {
    replies: [
      'Oui, la bleue s’il vous plaît.',
      'Bonjour Ana,\n\nmerci pour votre réponse. J’ai regardé à nouveau :\n\n1. le carton était ouvert\n2. il manque une tasse\n\nQuand le colis partira-t-il ?\n\nCordialement\nZoé Lefèvre',
      'Le 12 novembre votre collègue m’a écrit ceci :\nattendez une semaine.\n\nDe : la boutique je n’ai rien reçu.\nObjet cassé, voir photo.',
    ],
    original: [
      'Bonjour Zoé,',
      '',
      'quelle couleur aviez-vous commandée ?',
      'Le colis était-il abîmé à l’arrivée ?',
      '',
      'Ana, Service du Moulin',
    ],
    answers: ['La bleue.', 'Oui, d’un côté.'],
    subject: 'RE: Tasse cassée dans ma commande',
    gmail: `Le mar. 3 nov. 2026 à 10:12, ${agent} a écrit :`,
    apple: `Le 3 nov. 2026 à 10:12, ${agent} a écrit :`,
    thunderbird: 'Le 03/11/2026 à 10:12, Moulin Service a écrit :',
    yahoo: `Le mardi 3 novembre 2026 à 10:12:45 UTC+1, ${agent} a écrit :`,
    outlook: { from: 'De', sent: 'Envoyé', to: 'À', subject: 'Objet', when: 'mardi 3 novembre 2026 10:12' },
    separator: '-----Message d’origine-----',
    forwarded: '---------- Message transféré ---------',
    device: 'Envoyé de mon iPhone',
  },
  ro: {
    replies: [
      'Da, cea albastră, vă rog.',
      'Bună ziua, Ana,\n\nmulțumesc pentru răspuns. M-am uitat din nou:\n\n* cutia era deschisă\n* lipsește o cană\n\nCând pleacă pachetul?\n\nCu stimă,\nȘtefan Țuțea',
      'Pe 12 noiembrie colega dumneavoastră mi-a scris așa:\nsă aștept o săptămână.\n\nDe la: magazin nu am primit nimic.',
    ],
    original: [
      'Bună ziua, Ștefan,',
      '',
      'ce culoare ați comandat?',
      'Era pachetul deteriorat la sosire?',
      '',
      'Ana, Serviciul Moulin',
    ],
    answers: ['Cea albastră.', 'Da, pe o parte.'],
    subject: 'Re: Cană spartă în comanda mea',
    gmail: `În mar., 3 nov. 2026 la 10:12, ${agent} a scris:`,
    apple: `Pe 3 nov. 2026, la 10:12, ${agent} a scris:`,
    thunderbird: 'Pe 03.11.2026 10:12, Moulin Service a scris:',
    yahoo: `marți, 3 noiembrie 2026 la 10:12:45 EET, ${agent} a scris:`,
    outlook: { from: 'De la', sent: 'Trimis', to: 'Către', subject: 'Subiect', when: 'marți, 3 noiembrie 2026 10:12' },
    separator: '-----Mesaj original-----',
    forwarded: '---------- Mesaj redirecționat ---------',
    device: 'Trimis de pe iPhone-ul meu',
  },
  de: {
    replies: [
      'Ja, bitte die blaue.',
      'Hallo Ana,\n\ndanke für die schnelle Antwort. Ich habe noch einmal nachgesehen:\n\n– der Karton war offen\n– eine Tasse fehlt\n\nWann geht das Paket los?\n\nMit freundlichen Grüßen\nJürgen Weiß',
      'Am 12. November schrieb mir Ihre Kollegin Folgendes:\nich solle eine Woche warten.\n\nVon: dem Laden in Köln kam nichts.\nBetreff: Bruch.',
    ],
    original: [
      'Hallo Jürgen,',
      '',
      'welche Farbe hatten Sie bestellt?',
      'War das Paket bei der Ankunft beschädigt?',
      '',
      'Ana, Moulin Service',
    ],
    answers: ['Die blaue.', 'Ja, an einer Seite.'],
    subject: 'AW: Zerbrochene Tasse in meiner Bestellung',
    gmail: `Am Di., 3. Nov. 2026 um 10:12 Uhr schrieb ${agent}:`,
    apple: `Am 03.11.2026 um 10:12 schrieb ${agent}:`,
    thunderbird: 'Am 03.11.26 um 10:12 schrieb Moulin Service:',
    yahoo: `Am Dienstag, 3. November 2026 um 10:12:45 MEZ hat ${agent} Folgendes geschrieben:`,
    outlook: { from: 'Von', sent: 'Gesendet', to: 'An', subject: 'Betreff', when: 'Dienstag, 3. November 2026 10:12' },
    separator: '-----Ursprüngliche Nachricht-----',
    forwarded: '---------- Weitergeleitete Nachricht ---------',
    device: 'Von meinem iPhone gesendet',
  },
}
