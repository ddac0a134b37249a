import { expect, test } from 'vitest'
import { interactionTypes } from '#modules/contacts/interactions.ts'
import { en } from '../i18n/en.ts'

test('every kind of entry that the server writes has its words, and with them its icon', () => {
  expect(Object.keys(en.interaction).toSorted()).toEqual(interactionTypes.toSorted())
})
