/**
 * Which lines of a reply are new. Text and HTML are both made into lines first, so that one set of rules judges both. In
 * doubt a line stays: whoever reads a quotation twice is better off than whoever never sees the answer.
 */
import {
  isDeviceLine,
  isForwardLine,
  isRule,
  isSeparator,
  mayBeginAttribution,
  readAttribution,
  readLabel,
} from './signs.ts'

export interface Line {
  text: string
  /** How many quotations it stands in. */
  depth: number
  /** The mail program says that the rest is a quotation. */
  endsReply?: boolean
  /** It says that this line tells whom it quotes. */
  isAttribution?: boolean
}

const linesMax = 20_000

/** One answer for each line. */
export function judgeLines(all: readonly Line[]): boolean[] {
  const keep = all.map(() => true)
  const lines = all.slice(0, linesMax)
  const marks = markLines(lines)
  const cut = marks.indexOf('end')
  const until = cut < 0 ? lines.length : cut
  const before = runsOf(lines, marks, until)
  const texts = before.filter(({ kind }) => kind === 'text')
  // Nothing of their own stands above: then what stands below is all there is.
  if (!texts.length) return keep
  if (cut >= 0) for (let at = cut; at < all.length; at++) keep[at] = false
  for (const run of quotationsToDrop(before, lines)) {
    for (let at = run.from; at < run.to || marks[at] === 'blank'; at++) keep[at] = false
  }
  dropEnd(lines, keep)
  return keep
}

type Mark = 'text' | 'blank' | 'quoted' | 'attribution' | 'end'

function markLines(lines: readonly Line[]): Mark[] {
  const marks = lines.map((line): Mark => {
    if (line.endsReply) return 'end'
    if (!line.text.trim()) return 'blank'
    if (line.isAttribution || (line.depth > 0 && readAttribution(line.text))) return 'attribution'
    return line.depth > 0 ? 'quoted' : 'text'
  })
  for (const [at, line] of lines.entries()) {
    if (marks[at] !== 'text') continue
    if (isForwardLine(line.text)) break
    if (isSeparator(line.text)) marks[at] = 'end'
    else if (beginsHead(lines, at)) marks[aboveHead(lines, at)] = 'end'
    else markAttribution(lines, marks, at)
    if (marks.slice(Math.max(0, at - 4), at + 1).includes('end')) break
  }
  return marks
}

/** Programs break long lines: up to four of them may make one attribution. */
function markAttribution(lines: readonly Line[], marks: Mark[], at: number): void {
  if (!mayBeginAttribution(lines[at]!.text)) return
  let text = ''
  for (let to = at; to < Math.min(at + 4, lines.length); to++) {
    const { text: piece, depth } = lines[to]!
    if (!piece.trim() || depth > 0) return
    text = `${text} ${piece.trim()}`.trim()
    const attribution = readAttribution(text)
    if (!attribution) continue
    let next = to + 1
    while (next < lines.length && !lines[next]!.text.trim()) next++
    const from = shortest(lines, at, to)
    if ((lines[next]?.depth ?? 0) > 0) marks.fill('attribution', from, to + 1)
    else if (attribution.hasAddress) marks[from] = 'end'
    return
  }
}

/** A person's last word may look like a beginning: the attribution starts as late as it can. */
function shortest(lines: readonly Line[], at: number, to: number): number {
  let text = ''
  for (let from = to; from > at; from--) {
    text = `${lines[from]!.text.trim()} ${text}`.trim()
    if (readAttribution(text)) return from
  }
  return at
}

/** Three of From, Sent, To and Subject, with no empty line between; recipients and copies may take lines of their own. */
function beginsHead(lines: readonly Line[], at: number): boolean {
  if (readLabel(lines[at]!.text) !== 'from') return false
  const found = new Set<string>()
  for (const { text } of lines.slice(at, at + 10)) {
    const label = readLabel(text)
    if (label) found.add(label)
    if (label === 'subject' || !text.trim() || isRule(text)) break
  }
  return found.size >= 3 && found.has('subject')
}

function aboveHead(lines: readonly Line[], at: number): number {
  let above = at - 1
  while (above >= 0 && !lines[above]!.text.trim()) above--
  return above >= 0 && (isRule(lines[above]!.text) || isSeparator(lines[above]!.text)) ? above : at
}

interface Run {
  kind: 'text' | 'quotation'
  from: number
  to: number
  hasAttribution: boolean
}

/** Stretches of one kind; blank lines belong to what they follow. */
function runsOf(lines: readonly Line[], marks: readonly Mark[], until: number): Run[] {
  const runs: Run[] = []
  for (let at = 0; at < until; at++) {
    const mark = marks[at]!
    if (mark === 'blank' || mark === 'end') continue
    const kind = mark === 'text' ? 'text' : 'quotation'
    const last = runs.at(-1)
    if (last?.kind === kind) last.to = at + 1
    else runs.push({ kind, from: at, to: at + 1, hasAttribution: false })
    if (mark === 'attribution') runs.at(-1)!.hasAttribution = true
  }
  return runs
}

/** Answers between the lines keep what they answer. */
function quotationsToDrop(runs: readonly Run[], lines: readonly Line[]): Run[] {
  const quotations = runs.filter(({ kind }) => kind === 'quotation')
  if (quotations.length !== 1) {
    const last = runs.at(-1)
    const isTail = last?.kind === 'quotation' && last.hasAttribution && runs.length > 2
    return isTail && !quotations.slice(0, -1).some(({ hasAttribution }) => hasAttribution) ? [last] : []
  }
  const [only] = quotations
  const at = runs.indexOf(only!)
  const isFirst = at === 0
  const isLast = at === runs.length - 1
  if (isLast) return [only!]
  if (isFirst) return only!.hasAttribution ? [only!] : []
  const after = lines.slice(runs[at + 1]!.from, runs[at + 1]!.to).filter(({ text }) => text.trim())
  return after.length <= 3 && after.some(({ text }) => isFooter(text)) ? runs.slice(at) : []
}

/** Added below by programs, lists and scanners. */
function isFooter(text: string): boolean {
  return isRule(text) || isDeviceLine(text) || /^--\s*$/.test(text)
}

/** The line of the telephone, a rule, and blanks at the end. */
function dropEnd(lines: readonly Line[], keep: boolean[]): void {
  const kept = keep.flatMap((isKept, at) => (isKept && lines[at]?.text.trim() ? [at] : []))
  for (let last = kept.length - 1; last > 0; last--) {
    const at = kept[last]!
    const { text } = lines[at]!
    if (!isDeviceLine(text) && !isRule(text)) break
    keep[at] = false
  }
}
