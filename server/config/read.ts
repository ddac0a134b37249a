/** From raw text to checked values: every problem is collected, so that one start tells all of them. */
import { describeKind, readValue } from './kinds.ts'
import { type Values, type VariableName, variables } from './variables.ts'

export type Env = Record<string, string | undefined>

/** What the starter of the program did wrong, one sentence a line. */
export class ConfigError extends Error {
  readonly problems: string[]
  constructor(problems: string[]) {
    super(['The configuration has to be mended:', ...problems.map((problem) => `- ${problem}`)].join('\n'))
    this.problems = problems
  }
}

/** Reads every variable of the table. An empty one counts as absent, as compose files write `${NAME:-}`. */
export function readValues(env: Env, problems: string[]): Values {
  const read = Object.entries(variables).map(([name, variable]) => {
    const raw = env[name]?.trim()
    if (!raw) return [name, variable.default]
    const value = readValue(variable, raw)
    if (value !== undefined) return [name, value]
    const quoted = 'secret' in variable && variable.secret ? '' : `, not "${raw}"`
    problems.push(`${name} must be ${describeKind(variable)}${quoted}.`)
    return [name, variable.default]
  })
  return Object.fromEntries(read)
}

/** Names that look like ours and are not: a mistyped variable would otherwise be ignored without a word. */
export function warnOfUnknown(env: Env): string[] {
  const known = Object.keys(variables)
  return Object.keys(env)
    .filter((name) => !known.includes(name) && !known.includes(name.replace(/_FILE$/, '')))
    .map((name) => ({ name, near: nearest(name, known) }))
    .filter(({ name, near }) => near.distance <= Math.min(2, name.length / 4) || ourPrefix.test(name))
    .map(({ name, near }) => `${name} is not a variable of Rapport and is ignored. Is ${near.name} meant?`)
}

const ourPrefix = /^(RABBITMQ|MINIO|DKIM|ENGAGEMENT_SCORE|SEND_RATE)_/

function nearest(name: string, known: string[]) {
  const ranked = known.map((candidate) => ({ name: candidate, distance: distance(name, candidate) }))
  return ranked.reduce((best, next) => (next.distance < best.distance ? next : best))
}

/** Levenshtein's distance, in which two swapped neighbours count as one (HSOT for HOST). */
function distance(a: string, b: string): number {
  // Row 0 and column 0: so many letters to add, or to take away.
  const row = (i: number) => Array.from({ length: b.length + 1 }, (_, j) => i || j)
  const rows = Array.from({ length: a.length + 1 }, (_, i) => row(i))
  const at = (i: number, j: number) => rows[i]?.[j] ?? Infinity
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1
      const swapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? at(i - 2, j - 2) + 1 : Infinity
      const current = rows[i]
      if (current) current[j] = Math.min(at(i - 1, j) + 1, at(i, j - 1) + 1, at(i - 1, j - 1) + same, swapped)
    }
  }
  return at(a.length, b.length)
}

/** Complains when some variables of a set are there and others, that they need, are not. */
export function demandWhole(
  values: Values,
  problems: string[],
  { any, need, or }: { any: VariableName[]; need: VariableName[]; or: string },
): boolean {
  const present = any.filter((name) => values[name] !== null)
  if (!present.length) return false
  const missing = need.filter((name) => values[name] === null)
  if (missing.length) problems.push(`${present[0]} needs ${missing.join(' and ')} as well: set that, or ${or}.`)
  return !missing.length
}
