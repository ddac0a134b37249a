/** What every benchmark tells: medians with their spread, processor time, memory; printed and kept as JSON. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'

export interface Spread {
  median: number
  /** The smallest and the largest; one noisy round moves these, not the median. */
  low: number
  high: number
}

export function spreadOf(values: number[]): Spread {
  const sorted = values.toSorted((left, right) => left - right)
  const middle = Math.floor(sorted.length / 2)
  const median = sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
  return { median, low: sorted[0]!, high: sorted.at(-1)! }
}

export interface Line {
  what: string
  unit: string
  values: number[]
  /** Behind the point; without it, as many as the size asks for. */
  digits?: number
  /** What the median should reach, or stay under. */
  aim?: { atLeast: number } | { atMost: number }
}

/** Prints a table and writes `bench/results/<job>.json`. Answers whether every aim was met. */
export function report(job: string, lines: Line[], also: Record<string, unknown> = {}): boolean {
  const measured = lines.map((line) => ({ ...line, ...spreadOf(line.values), met: isMet(line) }))
  const width = Math.max(...measured.map(({ what }) => what.length))
  for (const { what, unit, median, low, high, aim, met, digits } of measured) {
    const spread = low === high ? '' : `  (${show(low, digits)} to ${show(high, digits)})`
    console.log(
      `${what.padEnd(width)}  ${show(median, digits).padStart(8)} ${unit}${spread}${aim ? `  ${sayAim(aim, met)}` : ''}`,
    )
  }
  const folder = path.join(import.meta.dirname, 'results')
  mkdirSync(folder, { recursive: true })
  writeFileSync(path.join(folder, `${job}.json`), `${JSON.stringify({ job, ...also, measured }, null, 2)}\n`)
  return measured.every(({ met }) => met !== false)
}

export interface Usage {
  /** Resident now, and at its highest; MiB. */
  residentMiB: number
  peakMiB: number
  cpuSeconds: number
}

/** Of another process, as the kernel of Linux tells it; null elsewhere. */
export function usageOf(pid: number): Usage | null {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    const mebibytes = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]) / 1_024
    // Behind the name, which may hold spaces: fields 14 and 15 of the whole, in hundredths of a second.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
    return {
      residentMiB: mebibytes('VmRSS'),
      peakMiB: mebibytes('VmHWM'),
      cpuSeconds: (Number(stat[11]) + Number(stat[12])) / 100,
    }
  } catch {
    return null
  }
}

function isMet({ aim, values }: Line): boolean | undefined {
  if (!aim) return undefined
  const { median } = spreadOf(values)
  return 'atLeast' in aim ? median >= aim.atLeast : median <= aim.atMost
}

function sayAim(aim: NonNullable<Line['aim']>, met: boolean | undefined): string {
  return `aim ${'atLeast' in aim ? `≥ ${aim.atLeast}` : `≤ ${aim.atMost}`}: ${met ? 'met' : 'MISSED'}`
}

function show(value: number, digits = value < 10 ? 2 : value < 100 ? 1 : 0): string {
  return value.toFixed(digits)
}
