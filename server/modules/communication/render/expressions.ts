/**
 * Finds the `{{…}}` of a template before Handlebars reads it. Its parser needs minutes for 500 KB of nested blocks or
 * comments (measured), so what would make it slow is refused here, in one linear pass. The scan is stricter than
 * Handlebars where the two could disagree about where an expression ends.
 */
import { TemplateFault } from './faults.ts'

export interface Expression {
  start: number
  end: number
  comment: boolean
}

export const sourceBytesMax = 512 * 1024
const expressionsMax = 5_000
const commentsMax = 200
const expressionLengthMax = 1_000
const blockDepthMax = 30
const parenthesesMax = 10

/** The expressions in their order; throws the first fault. */
export function scanExpressions(source: string): Expression[] {
  const found: Expression[] = []
  let comments = 0
  let depth = 0
  let line = 1
  let counted = 0
  for (let start = source.indexOf('{{'); start !== -1; start = source.indexOf('{{', found.at(-1)!.end)) {
    line += countLines(source, counted, start)
    counted = start
    const comment = /^\{\{~?!/.test(source.slice(start, start + 4))
    const end = comment ? commentEnd(source, start, line) : expressionEnd(source, start, line)
    found.push({ start, end, comment })
    if (found.length > expressionsMax)
      throw new TemplateFault(line, `A template has at most ${expressionsMax} expressions.`)
    if (comment && ++comments > commentsMax)
      throw new TemplateFault(line, `A template has at most ${commentsMax} comments.`)
    depth += depthChange(source, start)
    if (depth > blockDepthMax) throw new TemplateFault(line, `Blocks are nested at most ${blockDepthMax} deep.`)
  }
  return found
}

function countLines(source: string, from: number, to: number): number {
  let lines = 0
  for (let at = source.indexOf('\n', from); at !== -1 && at < to; at = source.indexOf('\n', at + 1)) lines++
  return lines
}

function commentEnd(source: string, start: number, line: number): number {
  const long = /^\{\{~?!--/.test(source.slice(start, start + 6))
  const close = long ? source.indexOf('--', start + 5) : source.indexOf('}}', start)
  const end = close === -1 ? -1 : source.indexOf('}}', close)
  // After the first `--` of a long comment Handlebars wants its end; anything else between the two it would keep reading.
  const plain = long && end !== -1 ? /^-*~?$/.test(source.slice(close + 2, end)) : true
  if (end === -1 || !plain)
    throw new TemplateFault(line, 'This comment is not closed: {{!-- … --}}, without -- inside.')
  if (source.slice(start + 2, end).includes('{{')) throw new TemplateFault(line, 'A comment cannot hold an expression.')
  return end + 2
}

/** An expression ends at the first `}}`, which must stand outside of texts and brackets. */
function expressionEnd(source: string, start: number, line: number): number {
  if (source.startsWith('{{{{', start)) throw new TemplateFault(line, 'Raw blocks ({{{{ }}}}) are not available.')
  const triple = source.startsWith('{{{', start)
  const limit = Math.min(source.length, start + expressionLengthMax)
  let parentheses = 0
  for (let at = start + (triple ? 3 : 2); at < limit; at++) {
    const character = source[at]
    if (character === '"' || character === "'" || character === '[') {
      const close = source.indexOf(character === '[' ? ']' : character, at + 1)
      const inside = close === -1 ? '' : source.slice(at + 1, close)
      if (close === -1 || close >= limit || /[\\{}]/.test(inside)) {
        throw new TemplateFault(line, 'A text in an expression ends in the same expression and holds no \\ { or }.')
      }
      at = close
    } else if (character === '(' && ++parentheses > parenthesesMax) {
      throw new TemplateFault(line, `Expressions are nested at most ${parenthesesMax} deep.`)
    } else if (character === '{') throw new TemplateFault(line, 'An expression cannot begin inside another.')
    else if (character === '}') {
      const closing = triple ? '}}}' : '}}'
      if (!source.startsWith(closing, at)) throw new TemplateFault(line, `This expression is not closed by ${closing}.`)
      return at + closing.length
    }
  }
  throw new TemplateFault(line, `This expression is not closed, or longer than ${expressionLengthMax} characters.`)
}

function depthChange(source: string, start: number): number {
  const head = source.slice(start, start + 12)
  if (/^\{\{~?(#|\^\s*[^\s~}])/.test(head)) return 1
  if (/^\{\{~?\s*else\s+[^\s~}]/.test(head)) return 1
  return /^\{\{~?\//.test(head) ? -1 : 0
}
