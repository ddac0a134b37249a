import { expect, test } from 'vitest'
import { chooseLanguage } from './texts.ts'

test.each([
  ['fr', 'ro,en', 'fr'],
  ['fr-BE', undefined, 'fr'],
  ['pt_BR', 'de, ro;q=0.8, fr;q=0.9', 'fr'],
  ['', 'ro-RO;q=0.5,en;q=0.1', 'ro'],
  [null, 'xx, *;q=0.5', 'en'],
  ['english', undefined, 'en'],
  [undefined, ';;;,q=', 'en'],
])('a contact with %s and a browser with %s reads %s', (own, acceptLanguage, expected) => {
  expect(chooseLanguage(own, acceptLanguage)).toBe(expected)
})
