/** What the values of a column look like, without its header. Pure. */
import { isEmail } from '#platform/http/validation.ts'
import { ValueProblem } from './value-problem.ts'
import { readerOf } from './values.ts'

export const valueTypes = ['email', 'phone', 'url', 'date', 'boolean', 'number', 'tags', 'text'] as const
export type ValueType = (typeof valueTypes)[number]

export interface TypeOfValues {
  type: ValueType | null
  /** Of the values that are so, 0 to 1. */
  share: number
}

const reads = (kind: 'time' | 'yes_no' | 'url', order: 'dmy' | 'mdy' = 'dmy') => {
  const read = readerOf(kind, { date_order: order, decimal: 'point' })
  return (text: string): boolean => !(read(text) instanceof ValueProblem)
}
const inEitherOrder = [reads('time', 'dmy'), reads('time', 'mdy')] as const

/** The stricter first: a telephone number would pass for a number, and 1 for a yes. */
const tests: [ValueType, (text: string) => boolean][] = [
  ['email', isEmail],
  ['url', reads('url')],
  ['phone', (text) => /^(?:\+|00)\d[\d\s().-]{7,}$|^0\d(?:[\s.-]?\d\d){4}$/.test(text)],
  ['date', (text) => inEitherOrder[0](text) || inEitherOrder[1](text)],
  [
    'number',
    (text) => /^-?\d{1,3}(?:[ .,'’\u00a0\u202f]?\d{3})*(?:[.,]\d+)?\s?(?:%|€|\$|£|lei|RON|EUR|USD)?$/.test(text),
  ],
  ['boolean', reads('yes_no')],
]

/** Most of the values must be so: a few are always written otherwise. */
const shareMin = 0.8

export function typeOfValues(samples: readonly string[]): TypeOfValues {
  if (!samples.length) return { type: null, share: 0 }
  // Two values that are both 0 or 1, or words for yes and no, are an answer before they are numbers.
  const isAnswer = samples.length <= 4 && samples.every(reads('yes_no'))
  if (isAnswer) return { type: 'boolean', share: 1 }
  for (const [type, test] of tests) {
    const share = samples.filter((sample) => test(sample.trim())).length / samples.length
    if (share >= shareMin) return { type, share }
  }
  return areTags(samples) ? { type: 'tags', share: 1 } : { type: 'text', share: 1 }
}

/** Short words between commas, and the same ones again and again. */
function areTags(samples: readonly string[]): boolean {
  const lists = samples.map((sample) => sample.split(/[,;|]/).map((word) => word.trim()))
  const several = lists.filter((words) => words.length > 1 && words.every((word) => word && word.length <= 30))
  const all = several.flat()
  return several.length >= 3 && several.length >= samples.length / 2 && new Set(all).size <= all.length / 2
}
