/**
 * One rendering: what has been written, and what it may still cost. Every node, turn of a loop and written character
 * counts, so that a template stops by itself, wherever it runs, without a thread to kill.
 */
import { RenderingStopped } from './faults.ts'

export interface Settings {
  /** Of the person who reads: dates, numbers and letters follow it. */
  language: string
  timezone: string
  /** ISO 4217, where `currency` names none. */
  currency: string
}

export const plainSettings: Settings = { language: 'en', timezone: 'UTC', currency: 'EUR' }

/** What the composer of a mail adds to a template; see `message.ts`. */
export interface Hooks {
  /** What stands for a link, or null to leave it. `target` is null where the address is the same for everyone. */
  link(number: number, target: string | null): string | null
  /** Called where the visible part of the document ends, with all that was written until there. */
  end(written: string): string
}

export const stepsMax = 200_000
export const outputLengthMax = 2_000_000
const deadlineMs = 250
const stepsBetweenLooks = 256

export class Run {
  out = ''
  readonly root: unknown
  readonly settings: Settings
  readonly hooks: Hooks | null
  ended = false
  private steps = 0
  private lookAt = stepsBetweenLooks
  private readonly startedAt = performance.now()

  constructor(root: unknown, settings: Settings, hooks: Hooks | null) {
    this.root = root
    this.settings = settings
    this.hooks = hooks
  }

  write(text: string): void {
    this.out += text
    if (this.out.length > outputLengthMax) throw new RenderingStopped('too_long')
  }

  spend(steps: number): void {
    this.steps += steps
    if (this.steps < this.lookAt) return
    this.lookAt = this.steps + stepsBetweenLooks
    if (this.steps > stepsMax || performance.now() - this.startedAt > deadlineMs)
      throw new RenderingStopped('too_much_work')
  }
}

const checked = new Map<string, boolean>()

/** Languages and zones come from people's records; one that is unknown here must not fail a mail. */
export function toSettings(asked: {
  language?: string | null
  timezone?: string | null
  currency?: string | null
}): Settings {
  const language = asked.language?.replace('_', '-')
  return {
    language:
      language && isKnown(`l${language}`, () => Intl.getCanonicalLocales(language)) ? language : plainSettings.language,
    timezone:
      asked.timezone &&
      isKnown(`z${asked.timezone}`, () => new Intl.DateTimeFormat('en', { timeZone: asked.timezone! }))
        ? asked.timezone
        : plainSettings.timezone,
    currency: asked.currency && /^[A-Z]{3}$/.test(asked.currency) ? asked.currency : plainSettings.currency,
  }
}

function isKnown(key: string, attempt: () => unknown): boolean {
  const before = checked.get(key)
  if (before !== undefined) return before
  let known = true
  try {
    attempt()
  } catch {
    known = false
  }
  if (checked.size > 1_000) checked.clear()
  checked.set(key, known)
  return known
}
