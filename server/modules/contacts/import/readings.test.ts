import { expect, test } from 'vitest'
import { judgeColumn, phoneCountryOf } from './readings.ts'
import { typeOfValues } from './value-types.ts'

test.each<[string[], string | null, object]>([
  [['1.234,50', '12,00'], 'US', { reading: { decimal: 'comma' }, open: [] }],
  [['1,234.50'], 'FR', { reading: { decimal: 'point' }, open: [] }],
  [['1.234', '2.500'], 'US', { reading: { decimal: 'comma' }, open: [] }],
  [['12', '13'], 'DE', { reading: { decimal: 'comma' }, open: [] }],
  [['12', '13'], 'GB', { reading: { decimal: 'point' }, open: [] }],
  [['01/02/2026'], 'FR', { reading: { date_order: 'dmy' }, open: ['date_order'] }],
  [['01/02/2026'], 'US', { reading: { date_order: 'mdy' }, open: ['date_order'] }],
  [['01/31/2026'], 'FR', { reading: { date_order: 'mdy' }, open: [] }],
  [['2026/02/01'], 'FR', { reading: { date_order: 'ymd' }, open: [] }],
  [['2026-02-01'], 'HU', { reading: { date_order: 'ymd' }, open: [] }],
])('%j in %s', (samples, country, expected) => {
  expect(judgeColumn(samples, country)).toMatchObject(expected)
})

test('what a person says goes before what is found', () => {
  expect(judgeColumn(['31/01/2026'], 'FR', { date_order: 'mdy', decimal: 'point', country: 'RO' })).toEqual({
    reading: { date_order: 'mdy', decimal: 'point', country: 'RO' },
    open: [],
  })
})

test('numbers tell their country where the workspace’s own does not fit', () => {
  const romanian = ['0721 234 567', '0722 345 678', '0733 456 789', '0744 567 890', '0755 678 901']
  const french = ['06 12 34 56 78', '01 23 45 67 89', '07 12 34 56 78', '06 98 76 54 32', '04 12 34 56 78']
  expect(phoneCountryOf(french, 'FR')).toBe('FR')
  expect(phoneCountryOf(romanian, 'RO')).toBe('RO')
  expect(phoneCountryOf(['+33 6 12 34 56 78'], 'RO')).toBe('RO')
  expect(phoneCountryOf(romanian.slice(0, 2), 'US')).toBe('US')
})

test.each<[string | null, string[]]>([
  ['email', ['a@example.com', 'b@example.com']],
  ['phone', ['+33 6 12 34 56 78', '+40721234567']],
  ['url', ['https://example.com', 'http://example.org/x']],
  ['date', ['31/12/2025', '2026-01-01', '1 mars 2026']],
  ['date', ['12/31/2025', '01/15/2026']],
  ['boolean', ['oui', 'non']],
  ['boolean', ['ja', 'nein']],
  ['boolean', ['da', 'nu']],
  ['boolean', ['1', '0']],
  ['number', ['12', '1 250,50', '3.5', '12 %', '7 €']],
  ['tags', ['red, blue', 'blue, green', 'red, green', 'red']],
  ['text', ['Paris', 'London', 'Cluj, Romania']],
  [null, []],
])('values that are %s', (type, samples) => {
  expect(typeOfValues(samples).type).toBe(type)
})
