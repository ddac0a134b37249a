/**
 * While HTML is looked at as HTML, its `{{…}}` are single opaque words: expressions may hold quotes and angle brackets
 * that no reader of HTML should see.
 */
import type { Expression } from './expressions.ts'

// Private use characters, which no other text should hold; those that do are removed first.
const open = '\uE0F0'
const close = '\uE0F1'
const stray = /[\uE0F0\uE0F1]/g
const masked = /\uE0F0(\d+)\uE0F1/g

export interface Masked {
  text: string
  unmask(text: string): string
}

export function maskExpressions(source: string, expressions: Expression[]): Masked {
  const originals: string[] = []
  let text = ''
  let from = 0
  for (const { start, end, comment } of expressions) {
    text += source.slice(from, start).replaceAll(stray, '')
    if (!comment) text += `${open}${originals.push(source.slice(start, end)) - 1}${close}`
    from = end
  }
  text += source.slice(from).replaceAll(stray, '')
  return { text, unmask: (part) => part.replaceAll(masked, (_found, index: string) => originals[Number(index)] ?? '') }
}

/** Whether the whole text is expressions, as in `href="{{booking_link}}"`. */
export function isOnlyMask(text: string): boolean {
  return /^(?:\uE0F0\d+\uE0F1)+$/.test(text)
}

export function startsWithMask(text: string): boolean {
  return text.startsWith(open)
}
