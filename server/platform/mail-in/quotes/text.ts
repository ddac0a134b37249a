/** The reply in a plain text, without what it quotes. */
import { judgeLines, type Line } from './judge.ts'
import { isForwardSubject } from './signs.ts'

const charactersMax = 500_000

/** `subject` tells whether it is a forwarded mail: of those, all stays. */
export function stripQuotedText(text: string, subject = ''): string {
  const whole = text.slice(0, charactersMax).replaceAll(/\r\n?/g, '\n')
  if (isForwardSubject(subject)) return tidy(whole)
  const lines = whole.split('\n').map(toLine)
  const keep = judgeLines(lines)
  return tidy(
    whole
      .split('\n')
      .filter((_, at) => keep[at])
      .join('\n'),
  )
}

/** `>`, `> >` and `>>`; a line that begins with another sign is not quoted, also where it has a ">" further on. */
function toLine(text: string): Line {
  const marks = /^ ?(?:>[ \t]?)+/.exec(text)?.[0] ?? ''
  return { text: text.slice(marks.length), depth: marks.replaceAll(/[^>]/g, '').length }
}

function tidy(text: string): string {
  return text
    .replaceAll(/[ \t\u00a0]+$/gm, '')
    .replaceAll(/\n{3,}/g, '\n\n')
    .replace(/^\s*\n/, '')
    .trim()
}
