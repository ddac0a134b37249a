/**
 * Replies as mail programs write them, around what a person wrote: all invented. Each knows which part of it is new, so
 * that the stripping of quotations can be counted, and not only looked at.
 */
import { mailLanguages, phrases, type MailLanguage, type Phrases } from './phrases.ts'

export interface ThreadMail {
  name: string
  language: MailLanguage
  subject: string
  text: string
  html: string | null
  /** What the person wrote, as text. */
  expected: string
}

type Program = (said: Phrases, reply: string) => { text: string; html: string }

const quoted = (lines: readonly string[], mark = '> '): string =>
  lines.map((line) => `${mark}${line}`.trimEnd()).join('\n')
const escape = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
const divs = (text: string): string =>
  text
    .split('\n')
    .map((line) => `<div>${line ? escape(line) : '<br>'}</div>`)
    .join('')
const paragraphs = (text: string): string =>
  text
    .split('\n')
    .map((line) => `<p class="MsoNormal">${line ? escape(line) : '<o:p>&nbsp;</o:p>'}</p>`)
    .join('\r\n')
const breaks = (text: string): string => text.split('\n').map(escape).join('<br>\r\n')

/** Gmail folds its attribution where the line grows long. */
const gmail: Program = (said, reply) => ({
  text: `${reply}\n\n${fold(said.gmail, 70)}\n\n${quoted(said.original)}\n`,
  html: `<div dir="ltr">${divs(reply)}</div><br><div class="gmail_quote gmail_quote_container"><div dir="ltr" class="gmail_attr">${escape(said.gmail)}<br></div><blockquote class="gmail_quote" style="margin:0px 0px 0px 0.8ex;border-left:1px solid rgb(204,204,204);padding-left:1ex">${divs(said.original.join('\n'))}</blockquote></div>`,
})

const head = ({ outlook, subject }: Phrases): [string, string][] => [
  [outlook.from, 'Moulin Service <aide+k3j9x@moulin.example>'],
  [outlook.sent, outlook.when],
  [outlook.to, 'Jonas Field <jonas@field.example>'],
  [outlook.subject, subject.replace(/^\w+: /, '')],
]

/** The desktop's: a ruled box in HTML, bare labels in text. */
const outlook: Program = (said, reply) => ({
  text: `${reply}\r\n\r\n${head(said)
    .map(([label, value]) => `${label}: ${value}`)
    .join('\r\n')}\r\n\r\n${said.original.join('\r\n')}\r\n`,
  html: `<html xmlns:o="urn:schemas-microsoft-com:office:office"><head><style><!-- p.MsoNormal {margin:0cm;} --></style></head><body lang="FR"><div class="WordSection1">${paragraphs(reply)}<p class="MsoNormal"><o:p>&nbsp;</o:p></p><div><div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm"><p class="MsoNormal">${head(
    said,
  )
    .map(([label, value]) => `<b>${label}:</b> ${escape(value)}`)
    .join('<br>')}<o:p></o:p></p></div></div>${paragraphs(said.original.join('\n'))}</div></body></html>`,
})

/** The one in the browser and on telephones: a rule, and marks in the HTML. */
const outlookWeb: Program = (said, reply) => ({
  text: `${reply}\n________________________________\n${head(said)
    .map(([label, value]) => `${label}: ${value}`)
    .join('\n')}\n\n${said.original.join('\n')}\n`,
  html: `<html><body dir="ltr"><div class="elementToProof">${divs(reply)}</div><div id="appendonsend"></div><hr style="display:inline-block;width:98%" tabindex="-1"><div id="divRplyFwdMsg" dir="ltr"><font face="Calibri, sans-serif">${head(
    said,
  )
    .map(([label, value]) => `<b>${label}:</b> ${escape(value)}`)
    .join('<br>')}</font><div>&nbsp;</div></div><div>${divs(said.original.join('\n'))}</div></body></html>`,
})

const apple: Program = (said, reply) => ({
  text: `${reply}\n\n${said.device}\n\n> ${said.apple}\n> \n${quoted(said.original)}\n`,
  html: `<html><head><meta http-equiv="content-type" content="text/html; charset=utf-8"></head><body dir="auto">${divs(reply)}<br id="lineBreakAtBeginningOfSignature"><div dir="ltr">${said.device}</div><div dir="ltr"><br><blockquote type="cite">${escape(said.apple)}<br><br></blockquote></div><blockquote type="cite"><div dir="ltr">${divs(said.original.join('\n'))}</div></blockquote></body></html>`,
})

/** On the Mac the attribution stands outside of the quotation. */
const appleMac: Program = (said, reply) => ({
  text: `${reply}\n\n${said.apple}\n\n${quoted(said.original)}\n`,
  html: `<html><body style="overflow-wrap: break-word;">${divs(reply)}<div><br><blockquote type="cite"><div>${escape(said.apple)}</div><br class="Apple-interchange-newline"><div>${divs(said.original.join('\n'))}</div></blockquote></div><br></body></html>`,
})

const thunderbird: Program = (said, reply) => ({
  text: `${reply}\n\n${said.thunderbird}\n${quoted(said.original)}\n`,
  html: `<html><body><p>${breaks(reply)}</p><div class="moz-cite-prefix">${escape(said.thunderbird)}<br></div><blockquote type="cite" cite="mid:1@moulin.example"><p>${breaks(said.original.join('\n'))}</p></blockquote></body></html>`,
})

const yahoo: Program = (said, reply) => ({
  text: `${reply.replaceAll('\n', '\n ')}\n\n    ${said.yahoo}  \n \n ${said.original.join('\n ')}\n  `,
  html: `<html><head></head><body><div class="ydp1a2b3c4dyahoo-style-wrap" style="font-size:16px;">${divs(reply)}</div><div id="ydp99yahoo_quoted_1" class="yahoo_quoted"><div style="color:#26282a;"><div>${escape(said.yahoo)}</div><div><br></div><div>${divs(said.original.join('\n'))}</div></div></div></body></html>`,
})

/** Old programs and printers' firmware. */
const plainSeparator: Program = (said, reply) => ({
  text: `${reply}\n\n${said.separator}\n${said.outlook.from}: Moulin Service\n${said.original.join('\n')}\n`,
  html: '',
})

const programs: Record<string, Program> = {
  gmail,
  outlook,
  outlookWeb,
  apple,
  appleMac,
  thunderbird,
  yahoo,
  plainSeparator,
}

const usual = mailLanguages.flatMap((language) =>
  Object.entries(programs).flatMap(([program, write]) =>
    phrases[language].replies.map((reply, index): ThreadMail => {
      const { text, html } = write(phrases[language], reply)
      const name = `${program} ${language} ${index + 1}`
      return { name, language, subject: phrases[language].subject, text, html: html || null, expected: reply }
    }),
  ),
)

/** Below the quotation, as on mailing lists. */
const below = mailLanguages.map((language): ThreadMail => {
  const said = phrases[language]
  const [, reply] = said.replies
  return {
    name: `below ${language}`,
    language,
    subject: said.subject,
    text: `${said.thunderbird}\n${quoted(said.original)}\n\n${reply}\n`,
    html: `<html><body><div class="moz-cite-prefix">${escape(said.thunderbird)}<br></div><blockquote type="cite">${divs(said.original.join('\n'))}</blockquote><p>${breaks(reply)}</p></body></html>`,
    expected: reply,
  }
})

/** Between the lines: the questions have to stay, or nobody understands the answers. */
const between = mailLanguages.map((language): ThreadMail => {
  const said = phrases[language]
  const [greeting, , first, second] = said.original as [string, string, string, string]
  const [one, two] = said.answers
  const text = `${said.thunderbird}\n> ${greeting}\n>\n> ${first}\n\n${one}\n\n> ${second}\n\n${two}`
  return {
    name: `between ${language}`,
    language,
    subject: said.subject,
    text,
    html: null,
    expected: text,
  }
})

const sentOn = mailLanguages.map((language): ThreadMail => {
  const said = phrases[language]
  const text = `${said.replies[0]}\n\n${said.forwarded}\n${head(said)
    .map(([label, value]) => `${label}: ${value}`)
    .join('\n')}\n\n${said.original.join('\n')}`
  const subject = { en: 'Fwd: ', fr: 'TR: ', ro: 'Fwd: ', de: 'WG: ' }[language] + said.subject.replace(/^\w+: /, '')
  return { name: `forward ${language}`, language, subject, text, html: null, expected: text }
})

const odd: ThreadMail[] = [
  {
    name: 'nothing of their own',
    text: 'On 3 Nov 2026, at 10:12, Ana <ana@moulin.example> wrote:\n\n> Hello\n> you',
    expected: 'On 3 Nov 2026, at 10:12, Ana <ana@moulin.example> wrote:\n\n> Hello\n> you',
  },
  {
    name: 'no quotation',
    text: 'Please call me.\n\n-- \nJonas',
    expected: 'Please call me.\n\n-- \nJonas'.replace('-- ', '--'),
  },
  {
    name: 'a ">" that a person typed',
    text: 'Menu > Orders > Return shows an error.',
    expected: 'Menu > Orders > Return shows an error.',
  },
  {
    name: 'quotes something else in their own words',
    text: '> You have 14 days.\n\nSo your page says. Is that so?',
    expected: '> You have 14 days.\n\nSo your page says. Is that so?',
  },
  {
    name: 'a label in the text',
    text: 'Please change the address.\nFrom: Rue Haute 1, Lyon\nTo: Rue Basse 2, Lyon\nThank you',
    expected: 'Please change the address.\nFrom: Rue Haute 1, Lyon\nTo: Rue Basse 2, Lyon\nThank you',
  },
  {
    name: 'a date and a colon',
    text: 'On 12 November 2026 at 10:15 your driver wrote:\n"Nobody at home", but I was.',
    expected: 'On 12 November 2026 at 10:15 your driver wrote:\n"Nobody at home", but I was.',
  },
  {
    name: 'a scanner below',
    text: 'Yes.\n\nOn 11/3/26 10:12, Ana wrote:\n> Hello\n\n-- \nThis mail was scanned.',
    expected: 'Yes.',
  },
  {
    name: 'three levels',
    text: 'Third.\n\nOn 11/3/26 10:12, Ana wrote:\n> Second.\n>\n> On 11/2/26 09:00, Jonas wrote:\n>> First.\n',
    expected: 'Third.',
  },
].map((mail) => ({ language: 'en', subject: 'Re: Broken cup', html: null, ...mail }))

export const threadMails: ThreadMail[] = [...usual, ...below, ...between, ...sentOn, ...odd]

function fold(text: string, width: number): string {
  const lines: string[] = ['']
  for (const word of text.split(' ')) {
    if (lines.at(-1)!.length + word.length > width) lines.push('')
    lines[lines.length - 1] = `${lines.at(-1)} ${word}`.trim()
  }
  return lines.join('\n')
}
