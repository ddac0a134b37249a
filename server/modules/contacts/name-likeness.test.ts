import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compareNames, jaroWinkler } from './name-likeness.ts'
import { splitFullName } from './names.ts'

test.each([
  ['Ana Pop', 'ana POP', 'same'],
  ['José Muñoz', 'Jose Munoz', 'same'],
  ['Jean-Luc Martin', 'Jean Luc Martin', 'same'],
  ['Pop Ana', 'Ana Pop', 'same'],
  ['Ana Popescu', 'Ana Popesco', 'same'],
  ['Ana', 'Ana Pop', 'unknown'],
  ['', 'Ana Pop', 'unknown'],
  ['王小明', '王小明', 'unknown'],
  ['Alexandru Pop', 'Alexandra Pop', 'different'],
  ['Jean Dupont', 'Jeanne Dupont', 'different'],
  ['Ana Pop', 'Ana Marin', 'different'],
  ['Ana', 'Ion Pop', 'different'],
] as const)('%s and %s: %s', (one, other, likeness) => {
  expect(compareNames(splitFullName(one), splitFullName(other))).toBe(likeness)
  expect(compareNames(splitFullName(other), splitFullName(one))).toBe(likeness)
})

test('the measure of Jaro and Winkler is that of their papers, and stays between nothing and one', () => {
  expect(jaroWinkler('martha', 'marhta')).toBeCloseTo(0.961, 3)
  expect(jaroWinkler('dwayne', 'duane')).toBeCloseTo(0.84, 3)
  expect(jaroWinkler('dixon', 'dicksonx')).toBeCloseTo(0.813, 3)
  expect(jaroWinkler('abc', 'xyz')).toBe(0)
  fc.assert(
    fc.property(fc.string(), fc.string(), (one, other) => {
      const likeness = jaroWinkler(one, other)
      expect(likeness).toBeGreaterThanOrEqual(0)
      expect(likeness).toBeLessThanOrEqual(1)
      expect(jaroWinkler(one, one)).toBe(1)
    }),
  )
})
