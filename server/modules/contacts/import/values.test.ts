import { expect, test } from 'vitest'
import type { Kind } from './fields.ts'
import { dateOrderOf } from './readings.ts'
import { ValueProblem } from './value-problem.ts'
import { readerOf, readPhone } from './values.ts'

test.each<[Kind, string, string | null]>([
  ['yes_no', 'Oui', 't'],
  ['yes_no', 'NU', 'f'],
  ['yes_no', 'ja', 't'],
  ['yes_no', 'perhaps', null],
  ['gender', 'Mme', 'female'],
  ['gender', 'bărbat', 'male'],
  ['language', 'Français', 'fr'],
  ['language', 'pt_br', 'pt-BR'],
  ['language', 'gibberish!', null],
  ['timezone', 'europe/paris', 'Europe/Paris'],
  ['timezone', 'Paris', null],
  ['time', '2026-03-31', '2026-03-31 00:00:00+00'],
  ['time', '2026-03-31T10:20:30+02:00', '2026-03-31 10:20:30+02:00'],
  ['time', '31.03.2026 10:20', '2026-03-31 10:20:00+00'],
  ['time', '03/04/2026', '2026-04-03 00:00:00+00'],
  ['time', '31/02/2026', null],
  ['money', '1 234,50 €', '1234.50'],
  ['money', '$1,234.5', '1234.5'],
  ['money', '1.234.567', '1234567'],
  ['money', 'a lot', null],
  ['count', '1 200', '1200'],
  ['count', '-1', null],
  ['email', 'mailto:ana@example.com', 'ana@example.com'],
  ['email', 'ana@example', null],
  ['url', 'javascript:alert(1)', null],
])('%s: %j', (kind, cell, expected) => {
  const value = readerOf(kind, { date_order: 'dmy', decimal: 'comma' })(cell)
  if (expected === null) expect(value).toBeInstanceOf(ValueProblem)
  else expect(value).toBe(expected)
})

test('one day above twelve tells the order of a whole column', () => {
  expect(dateOrderOf(['01/02/2026', '03/14/2026'])).toBe('mdy')
  expect(dateOrderOf(['01/02/2026', '14/03/2026'])).toBe('dmy')
  expect(dateOrderOf(['01/02/2026'])).toBe(null)
})

test('a phone is kept as typed, and known by its international form where it has one', () => {
  expect(readPhone('06 12 34 56 78', 'FR')).toEqual({ typed: '06 12 34 56 78', key: '+33612345678' })
  expect(readPhone('+40 721 234 567', undefined)).toEqual({ typed: '+40 721 234 567', key: '+40721234567' })
  expect(readPhone('12345', 'FR')).toEqual({ typed: '12345', key: null })
  expect(readPhone('none', 'FR')).toBeInstanceOf(ValueProblem)
})
