import assert from 'node:assert/strict'
import { test } from 'vitest'
import { joinFullName, splitFullName } from './names.ts'

const cases: [full: string, first: string, last: string][] = [
  ['Ana Pop', 'Ana', 'Pop'],
  ['  Ana   Maria  Pop ', 'Ana Maria', 'Pop'],
  ['Vincent van Gogh', 'Vincent', 'van Gogh'],
  ['Ana de la Cruz', 'Ana', 'de la Cruz'],
  ['Ana Maria van den Berg', 'Ana Maria', 'van den Berg'],
  ['Charles de Gaulle', 'Charles', 'de Gaulle'],
  ['Van Morrison', 'Van', 'Morrison'],
  ['Pop, Ana', 'Ana', 'Pop'],
  ['Madonna', 'Madonna', ''],
  ['山田太郎', '山田太郎', ''],
  ['Pop,', 'Pop,', ''],
  ['', '', ''],
]

test.each(cases)('"%s" is "%s" and "%s"', (full, first, last) => {
  assert.deepEqual(splitFullName(full), { first_name: first, last_name: last })
})

test('two parts are shown as one', () => {
  assert.equal(joinFullName({ first_name: 'Ana', last_name: '' }), 'Ana')
  assert.equal(joinFullName({ first_name: '', last_name: 'Pop' }), 'Pop')
})
