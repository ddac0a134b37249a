/** The pages behind the links in mails: confirm, unsubscribe, preferences. */
import type { Reply } from '#platform/http/route.ts'
import { texts, type Language } from '../texts.ts'
import { html, maskAddress, showPage, type Html } from './page.ts'

/** What a page needs to know of the person who opened it. */
export interface Visitor {
  language: Language
  workspace: string
  email: string
  newsletter: boolean
  marketing: boolean
  tracking: boolean
  preferencesPath: string
}

export function confirmationPage(visitor: Visitor, asked: ('newsletter' | 'marketing')[]): Reply<string> {
  const { language, workspace, email } = visitor
  const { confirm } = texts[language]
  return showPage({
    language,
    workspace,
    title: confirm.title,
    body: html`<p>${confirm.intro(workspace, maskAddress(email))}</p>
      <ul>
        ${asked.map((purpose) => item(texts[language][purpose], texts[language].wording[purpose](workspace)))}
      </ul>
      <form method="post"><button>${confirm.button}</button></form>
      <p class="small">${confirm.ignore}</p>`,
  })
}

export function confirmedPage(visitor: Visitor): Reply<string> {
  const { language, workspace, preferencesPath } = visitor
  const { confirm, preferences } = texts[language]
  const body = html`<p>${confirm.done(workspace)}</p>
    <p><a href="${preferencesPath}">${preferences.title}</a></p>`
  return showPage({ language, workspace, title: confirm.doneTitle, body })
}

export function confirmationGonePage(language: Language): Reply<string> {
  const { confirm } = texts[language]
  return showPage({ language, workspace: null, title: confirm.goneTitle, body: html`<p>${confirm.gone}</p>` }, 410)
}

export function unsubscribePage(visitor: Visitor): Reply<string> {
  const { language, workspace, email, preferencesPath } = visitor
  const { unsubscribe } = texts[language]
  return showPage({
    language,
    workspace,
    title: unsubscribe.title,
    body: html`<p>${unsubscribe.intro(workspace, maskAddress(email))}</p>
      <form method="post"><input type="hidden" name="type" value="all" /><button>${unsubscribe.button}</button></form>
      <p class="small"><a href="${preferencesPath}">${unsubscribe.choose}</a></p>`,
  })
}

export function unsubscribedPage(visitor: Visitor): Reply<string> {
  const { language, workspace, email, preferencesPath } = visitor
  const { unsubscribe } = texts[language]
  return showPage({
    language,
    workspace,
    title: unsubscribe.doneTitle,
    body: html`<p role="status">${unsubscribe.done(workspace, maskAddress(email))}</p>
      <p class="small"><a href="${preferencesPath}">${unsubscribe.mistake}</a></p>`,
  })
}

/** For somebody whom we no longer know: there is nothing to take back, and nothing will be sent. */
export function goodbyePage(language: Language): Reply<string> {
  const { doneTitle } = texts[language].unsubscribe
  return showPage({ language, workspace: null, title: doneTitle, body: html`` })
}

/** The hidden fields say what the page showed: a box that was merely left as it was changes nothing. */
export function preferencesPage(visitor: Visitor, saved: boolean): Reply<string> {
  const { language, workspace, email } = visitor
  const { preferences } = texts[language]
  return showPage({
    language,
    workspace,
    title: preferences.title,
    body: html`${saved ? html`<p class="notice" role="status">${preferences.saved}</p>` : null}
      <form method="post">
        <fieldset>
          <legend>${preferences.intro(workspace, maskAddress(email))}</legend>
          ${(['newsletter', 'marketing', 'tracking'] as const).map((purpose) => checkbox(language, purpose, visitor[purpose]))}
        </fieldset>
        <button name="action" value="save">${preferences.save}</button>
        <button name="action" value="unsubscribe_all" class="quiet">${preferences.all}</button>
      </form>
      <p class="small">${preferences.transactional}</p>`,
  })
}

export function invalidLinkPage(language: Language): Reply<string> {
  const { title, text } = texts[language].invalid
  return showPage({ language, workspace: null, title, body: html`<p>${text}</p>` }, 404)
}

function item(name: string, wording: string): Html {
  return html`<li><strong>${name}</strong><span class="hint">${wording}</span></li>`
}

function checkbox(language: Language, purpose: 'newsletter' | 'marketing' | 'tracking', checked: boolean): Html {
  const hint = texts[language][`${purpose}Hint`]
  return html`<label
      ><input type="checkbox" name="${purpose}" ${checked ? html` checked` : null} />
      <strong>${texts[language][purpose]}</strong><span class="hint">${hint}</span></label
    >
    <input type="hidden" name="shown_${purpose}" value="${checked ? 'on' : 'off'}" />`
}
