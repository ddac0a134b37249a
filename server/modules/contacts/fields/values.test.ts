import assert from 'node:assert/strict'
import fc from 'fast-check'
import { describe, test } from 'vitest'
import type { InputError } from '#platform/errors.ts'
import { toKey } from './definition-rules.ts'
import { checkCustomFields, mergeCustomFields, parseCustomValue, type CustomFieldDefinition } from './values.ts'

const define = (
  type: CustomFieldDefinition['type'],
  more: Partial<CustomFieldDefinition> = {},
): CustomFieldDefinition => ({
  id: 'x',
  key: type,
  label: type,
  type,
  choices: [],
  required: false,
  minimum: null,
  maximum: null,
  max_length: null,
  ...more,
})
const choices = ['gold', 'silver'].map((value) => ({ value, label: value === 'gold' ? 'Doré' : value, color: null }))

describe('JSON', () => {
  const cases: [CustomFieldDefinition, unknown, unknown][] = [
    [define('text'), 'Été', 'Été'],
    [define('text', { max_length: 2 }), 'ééé', 'too_long'],
    [define('text'), 7, 'type'],
    [define('number'), 1.5, 1.5],
    [define('number'), 2 ** 53, 'not_exact'],
    [define('number', { minimum: '0' }), -1, 'too_small'],
    [define('number', { maximum: '10' }), 10.5, 'too_large'],
    [define('number'), '7', 'type'],
    [define('date'), '2024-02-29', '2024-02-29'],
    [define('date'), '2023-02-29', 'format'],
    [define('date', { minimum: '2020-01-01' }), '2019-12-31', 'too_small'],
    [define('date'), '2024-02-29T00:00:00Z', 'format'],
    [define('boolean'), false, false],
    [define('boolean'), 'false', 'type'],
    [define('url'), 'https://x.example/a?b', 'https://x.example/a?b'],
    [define('url'), 'javascript:alert(1)', 'format'],
    [define('url'), 'https://x example', 'format'],
    [define('choice', { choices }), 'gold', 'gold'],
    [define('choice', { choices }), 'Gold', 'not_a_choice'],
    [define('multi_choice', { choices }), ['gold', 'gold'], ['gold']],
    [define('multi_choice', { choices }), ['gold', 1], 'not_a_choice'],
    [define('multi_choice', { choices }), 'gold', 'type'],
  ]
  test.each(cases)('%o takes %o as %o', (definition, value, expected) => {
    const errors: InputError[] = []
    const { set } = checkCustomFields([definition], { [definition.key]: value }, errors)
    assert.deepEqual(errors[0]?.code ?? set[definition.key], expected)
    if (errors[0]) assert.equal(errors[0].pointer, `/custom_fields/${definition.key}`)
  })

  test('null and empty take away, and what has no definition is free', () => {
    const errors: InputError[] = []
    const change = checkCustomFields([define('text')], { text: '', gone: null, free: { a: [1] }, empty: '' }, errors)
    assert.deepEqual(errors, [])
    assert.deepEqual(change, { set: { free: { a: [1] }, empty: '' }, removed: ['text', 'gone'] })
  })
})

test('merging loses no key that is not named, whatever it is called', () => {
  const json = fc.dictionary(fc.string(), fc.jsonValue())
  fc.assert(
    fc.property(json, json, (before, given) => {
      const after = mergeCustomFields(before, checkCustomFields([], given, []))
      for (const key of Object.keys(before)) {
        if (!Object.hasOwn(given, key)) assert.deepEqual(after[key], before[key])
      }
      for (const [key, value] of Object.entries(given)) {
        assert.deepEqual(Object.hasOwn(after, key) ? after[key] : null, value)
      }
    }),
  )
})

describe('texts', () => {
  const cases: [CustomFieldDefinition, string, unknown, object?][] = [
    [define('number'), '1,234.5', 1234.5],
    [define('number'), '1 234,5', 1234.5, { decimalComma: true }],
    [define('number'), '1.234.567', 1234567, { decimalComma: true }],
    [define('number'), '1,5', 'number'],
    [define('number'), '1,234', 1.234, { decimalComma: true }],
    [define('number'), '−7', -7],
    [define('number'), '123456789012345678', 'not_exact'],
    [define('number'), '12 apples', 'number'],
    [define('number'), '-', 'number'],
    [define('date'), '31/03/2026', '2026-03-31'],
    [define('date'), '03/31/2026', '2026-03-31', { dateOrder: 'mdy' }],
    [define('date'), '31.3.2026 14:05', '2026-03-31', { dateOrder: 'mdy' }],
    [define('date'), '2026-3-1', '2026-03-01'],
    [define('date'), '31/02/2026', 'format'],
    [define('date'), 'soon', 'format'],
    [define('boolean'), 'Oui', true],
    [define('boolean'), 'nu', false],
    [define('boolean'), 'perhaps', 'yes_no'],
    [define('choice', { choices }), 'DORE', 'gold'],
    [define('choice', { choices }), 'bronze', 'not_a_choice'],
    [define('multi_choice', { choices }), 'Doré; silver,gold', ['gold', 'silver']],
    [define('url'), 'www.x.example', 'https://www.x.example'],
    [define('text'), ' a ', 'a'],
  ]
  test.each(cases)('%o reads %j as %o', (definition, text, expected, options) => {
    const judged = parseCustomValue(definition, text, options ?? {})
    assert.deepEqual('fault' in judged ? judged.fault.code : judged.value, expected)
  })

  test('a number that is written out reads as itself', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -999_999_999, max: 999_999_999 }),
        fc.integer({ min: 0, max: 99_999 }),
        (whole, part) => {
          const text = `${whole}.${String(part).padStart(5, '0')}`
          assert.deepEqual(parseCustomValue(define('number'), text), { value: Number(text) || 0 })
          const written = parseCustomValue(define('number'), text.replace('.', ','), { decimalComma: true })
          assert.deepEqual(written, { value: Number(text) || 0 })
        },
      ),
    )
  })
})

test('keys come from labels', () => {
  assert.deepEqual(['Date de naissance', 'Âge', '2nd phone', '常連', '  '].map(toKey), [
    'date_de_naissance',
    'age',
    'field_2nd_phone',
    'field',
    'field',
  ])
  fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (label) => /^[a-z][a-z0-9_]{0,62}$/.test(toKey(label))))
})
