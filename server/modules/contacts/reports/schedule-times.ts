/** When a schedule is due next, as clocks in its time zone show it. Pure. */
import { addDays, dayOf, instantAt } from '../rules/days.ts'

export const frequencies = ['daily', 'weekly', 'monthly'] as const

export interface Times {
  frequency: (typeof frequencies)[number]
  /** `07:30`. */
  at_time: string
  /** 1 is Monday. */
  weekday: number | null
  /** In months that are shorter, their last day. */
  month_day: number | null
  timezone: string
}

/** The first time after this instant. Once a day at most, also where clocks are put back over the time. */
export function nextTime(times: Times, after: Date): Date {
  let day = dayOf(after, times.timezone)
  // Two months have every weekday and every day of the month in them.
  for (let tries = 0; tries < 64; tries++, day = addDays(day, 1)) {
    if (!isOn(times, day)) continue
    const at = instantAt(day, times.at_time, times.timezone)
    if (at > after) return at
  }
  throw new Error(`no time found for ${JSON.stringify(times)}`)
}

function isOn({ frequency, weekday, month_day }: Times, day: string): boolean {
  const date = new Date(`${day}T00:00:00Z`)
  if (frequency === 'weekly') return (date.getUTCDay() + 6) % 7 === weekday! - 1
  if (frequency === 'monthly') {
    const last = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate()
    return date.getUTCDate() === Math.min(month_day!, last)
  }
  return true
}
