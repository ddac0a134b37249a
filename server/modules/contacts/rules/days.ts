/** Days of a time zone, as instants. Pure; tested against the database, which has the same zones. */

const dayMs = 86_400_000
const formats = new Map<string, Intl.DateTimeFormat>()

/** `2024-02-29`: a day that there is, of years that have four digits on either side. */
export function isDay(text: string): boolean {
  if (!/^\d{4}-\d\d-\d\d$/.test(text) || text < '1001' || text > '9999') return false
  const parsed = new Date(`${text}T00:00:00Z`)
  return !Number.isNaN(parsed.getTime()) && parsed.toISOString().startsWith(text)
}

export function addDays(day: string, days: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + days * dayMs).toISOString().slice(0, 10)
}

/** The day that it is there at this instant. */
export function dayOf(instant: Date, timezone: string): string {
  return wallTime(instant, timezone).toISOString().slice(0, 10)
}

/** The first instant of the day there. */
export function startOfDay(day: string, timezone: string): Date {
  return instantAt(day, '00:00', timezone)
}

/**
 * When clocks there show this time of the day. Where they are put forward over it, what it becomes by that; where it comes
 * twice, the first one.
 */
export function instantAt(day: string, time: string, timezone: string): Date {
  const wanted = Date.parse(`${day}T${time}:00Z`)
  // The zone's offset on either side of the time in question: one of the two leads to it, or skips it.
  const candidates = [-dayMs, dayMs].map((distance) => {
    const near = new Date(wanted + distance)
    return wanted - (wallTime(near, timezone).getTime() - near.getTime())
  })
  const exact = candidates.filter((candidate) => wallTime(new Date(candidate), timezone).getTime() === wanted)
  return new Date(exact.length ? Math.min(...exact) : Math.max(...candidates))
}

/** What clocks there show, written as if it were UTC. */
function wallTime(instant: Date, timezone: string): Date {
  let format = formats.get(timezone)
  if (!format) {
    format = new Intl.DateTimeFormat('en-u-ca-iso8601-nu-latn', {
      timeZone: timezone,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    })
    formats.set(timezone, format)
  }
  const parts = Object.fromEntries(format.formatToParts(instant).map(({ type, value }) => [type, value]))
  const { year = '', month, day, hour, minute, second } = parts
  return new Date(`${year.padStart(4, '0')}-${month}-${day}T${hour}:${minute}:${second}.000Z`)
}
