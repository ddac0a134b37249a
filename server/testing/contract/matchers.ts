/** Types of fields, as the documents name them. */
import { expect } from 'vitest'

// vitest's matchers are `any` by design.
// oxlint-disable-next-line typescript/no-explicit-any
type Matcher = any

export const text: Matcher = expect.any(String)
export const whole: Matcher = expect.any(Number)
export const flag: Matcher = expect.any(Boolean)
export const object: Matcher = expect.any(Object)
export const id: Matcher = expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/)
export const time: Matcher = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
export const money: Matcher = expect.stringMatching(/^\d+\.\d\d$/)
export const color: Matcher = expect.stringMatching(/^#[0-9a-f]{6}$/i)

/** At least these fields, each of its type. */
export const withFields = (fields: object): Matcher => expect.objectContaining(fields)

/** A page of such things, in the shape that every list has. */
export const pageOf = (...items: unknown[]): Matcher => ({
  data: expect.arrayContaining(items),
  next_cursor: null,
  total: whole,
})

export const message: Matcher = { message: text }
