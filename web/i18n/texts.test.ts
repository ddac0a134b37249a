import { expect, test } from 'vitest'
import { en } from './en.ts'
import { fr } from './fr.ts'
import { ro } from './ro.ts'
import { typesetFrench } from './typeset-french.ts'

const languages = { en, fr, ro }
const pluralForm = /_(zero|one|two|few|many|other)$/

function flatten(texts: Record<string, Record<string, string>>): Map<string, string> {
  return new Map(
    Object.entries(texts).flatMap(([section, keys]) =>
      Object.entries(keys).map(([key, text]): [string, string] => [`${section}.${key}`, text]),
    ),
  )
}

const variablesOf = (text: string) => new Set([...text.matchAll(/\{\{(\w+)/g)].map((match) => match[1]))

test.each(['fr', 'ro'] as const)('%s says everything that English says, with the same variables', (language) => {
  const english = flatten(en)
  const texts = flatten(languages[language])
  for (const [key, text] of english) {
    expect(texts.get(key), key).toBeTruthy()
    expect(variablesOf(texts.get(key)!), key).toEqual(variablesOf(text))
  }
})

test.each(['en', 'fr', 'ro'] as const)('%s has every plural form that its grammar asks for', (language) => {
  const texts = flatten(languages[language])
  const forms = new Intl.PluralRules(language).resolvedOptions().pluralCategories
  const plurals = new Set(
    [...texts.keys()].filter((key) => key.endsWith('_other')).map((key) => key.replace(pluralForm, '')),
  )
  expect(plurals.size).toBeGreaterThan(20)
  for (const key of plurals) {
    for (const form of forms) expect(texts.has(`${key}_${form}`), `${key}_${form}`).toBe(true)
  }
})

test.each(['fr', 'ro'] as const)('%s leaves no sentence in English by mistake', (language) => {
  const english = flatten(en)
  for (const [key, text] of flatten(languages[language])) {
    const words = text
      .replaceAll(/\{\{.*?\}\}/g, '')
      .split(/\s+/)
      .filter(Boolean)
    if (words.length > 3) expect(text, key).not.toBe(english.get(key))
  }
})

test('French gets the spaces that do not break', () => {
  const set = typesetFrench({ a: 'Oublié ? Oui ; voici : « le lien »', b: { c: '12 %' } })
  expect(set).toEqual({ a: 'Oublié\u202f? Oui\u202f; voici\u00a0: «\u00a0le lien\u00a0»', b: { c: '12\u00a0%' } })
})
