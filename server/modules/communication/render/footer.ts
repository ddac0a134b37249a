/** What stands under every mail that does not say itself how to leave: who writes, why, and the way out. */
import { escapeHtml } from './values.ts'

export interface FooterFacts {
  workspaceName: string
  postalAddress: string | null
  unsubscribeUrl: string
  preferencesUrl: string
}

const texts = {
  en: {
    why: (name: string) => `You receive this e-mail because you agreed to hear from ${name}.`,
    unsubscribe: 'Unsubscribe',
    preferences: 'Your preferences',
  },
  fr: {
    why: (name: string) => `Vous recevez cet e-mail parce que vous avez accepté de recevoir des nouvelles de ${name}.`,
    unsubscribe: 'Se désabonner',
    preferences: 'Vos préférences',
  },
  ro: {
    why: (name: string) => `Primiți acest e-mail pentru că ați acceptat să primiți vești de la ${name}.`,
    unsubscribe: 'Dezabonare',
    preferences: 'Preferințele dumneavoastră',
  },
}

function textsFor(language: string): (typeof texts)['en'] {
  const short = language.slice(0, 2).toLowerCase()
  return short === 'fr' || short === 'ro' ? texts[short] : texts.en
}

export function footerHtml(language: string, facts: FooterFacts): string {
  const { why, unsubscribe, preferences } = textsFor(language)
  const link = (url: string, label: string): string => `<a href="${escapeHtml(url)}" style="color:#595959">${label}</a>`
  const address = facts.postalAddress ? `<br>${escapeHtml(facts.postalAddress).replaceAll(/\r?\n/g, ', ')}` : ''
  return (
    '<div style="margin:32px auto 0;padding:16px;max-width:600px;text-align:center;color:#595959;' +
    'font:13px/1.6 system-ui,-apple-system,Segoe UI,Roboto,sans-serif">' +
    `${escapeHtml(why(facts.workspaceName))}<br>` +
    `${link(facts.unsubscribeUrl, unsubscribe)} · ${link(facts.preferencesUrl, preferences)}${address}</div>`
  )
}

export function footerText(language: string, facts: FooterFacts): string {
  const { why, unsubscribe, preferences } = textsFor(language)
  const address = facts.postalAddress ? `\n${facts.postalAddress.replaceAll(/\s*\r?\n\s*/g, ', ')}` : ''
  return (
    `\n-- \n${why(facts.workspaceName)}\n${unsubscribe}: ${facts.unsubscribeUrl}\n` +
    `${preferences}: ${facts.preferencesUrl}${address}\n`
  )
}
