// Three languages, each a typed catalogue; French and Romanian are loaded only when somebody reads them.
import i18next from 'i18next'
import { initReactI18next } from 'react-i18next'
import type { Language } from '../api/types.ts'
import { en } from './en.ts'
import { typesetFrench } from './typeset-french.ts'

declare module 'i18next' {
  interface CustomTypeOptions {
    defaultNS: 'translation'
    resources: { translation: typeof en }
  }
}

export const languages: { value: Language; label: string }[] = [
  { value: 'en', label: 'English' },
  { value: 'fr', label: 'Français' },
  { value: 'ro', label: 'Română' },
]

const rememberedUnder = 'rapport-language'

/** Starts in the language used last on this machine, else the browser's, else English. */
export async function startI18n(): Promise<void> {
  await i18next.use(initReactI18next).init({
    lng: 'en',
    fallbackLng: 'en',
    resources: { en: { translation: en } },
    interpolation: { escapeValue: false },
    react: { useSuspense: false },
  })
  await speak(preferredLanguage())
}

/** Speaks another language from now on, and remembers it on this machine for the sign-in page. */
export async function speak(language: Language): Promise<void> {
  if (!i18next.hasResourceBundle(language, 'translation')) {
    i18next.addResourceBundle(language, 'translation', await loadTexts(language))
  }
  await i18next.changeLanguage(language)
  document.documentElement.lang = language
  try {
    localStorage.setItem(rememberedUnder, language)
  } catch {
    // Storage may be denied; the language then lasts as long as the page.
  }
}

async function loadTexts(language: Language) {
  switch (language) {
    case 'fr':
      return typesetFrench((await import('./fr.ts')).fr)
    case 'ro':
      return (await import('./ro.ts')).ro
    case 'en':
      return en
  }
}

export function preferredLanguage(): Language {
  const wishes = [readRemembered(), ...navigator.languages]
  const found = wishes.map((wish) => wish?.slice(0, 2)).find((wish) => languages.some(({ value }) => value === wish))
  return (found ?? 'en') as Language
}

function readRemembered(): string | null {
  try {
    return localStorage.getItem(rememberedUnder)
  } catch {
    return null
  }
}
