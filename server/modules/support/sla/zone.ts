/**
 * The offsets of a time zone, as stretches of time during which clocks there run evenly. The platform's own zone data
 * answers each question about an instant; what is found is kept, since a zone's months are asked for again and again.
 */

/** Instants are milliseconds since 1970 in UTC. `from` is in it, `to` is not; wall time there is instant + offset. */
export interface Stretch {
  fromMs: number
  toMs: number
  offsetMs: number
}

const dayMs = 86_400_000
const formats = new Map<string, Intl.DateTimeFormat>()
const months = new Map<string, Stretch[]>()
const monthsMax = 5_000

/** Stretches without gaps from this instant on, for ever: whoever reads them stops. */
export function* stretchesFrom(timezone: string, instantMs: number): Generator<Stretch> {
  const first = new Date(instantMs)
  for (let month = first.getUTCFullYear() * 12 + first.getUTCMonth(); ; month++) {
    for (const stretch of stretchesOfMonth(timezone, month)) {
      if (stretch.toMs > instantMs) yield { ...stretch, fromMs: Math.max(stretch.fromMs, instantMs) }
    }
  }
}

/** What clocks there are ahead of UTC at this instant, in milliseconds. */
export function offsetAt(timezone: string, instantMs: number): number {
  const parts = formatOf(timezone).formatToParts(instantMs)
  const name = parts.find(({ type }) => type === 'timeZoneName')?.value ?? ''
  const [, sign, hours = '0', minutes = '0', seconds = '0'] =
    /^GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/.exec(name) ?? []
  const size = (Number(hours) * 3_600 + Number(minutes) * 60 + Number(seconds)) * 1_000
  return sign === '-' ? -size : size
}

function formatOf(timezone: string): Intl.DateTimeFormat {
  let format = formats.get(timezone)
  if (!format) {
    format = new Intl.DateTimeFormat('en', { timeZone: timezone, timeZoneName: 'longOffset' })
    formats.set(timezone, format)
  }
  return format
}

/** Looked at once a day: no zone puts its clocks forward and back again within one. */
function stretchesOfMonth(timezone: string, month: number): Stretch[] {
  const key = `${month} ${timezone}`
  const known = months.get(key)
  if (known) return known
  const stretches: Stretch[] = []
  let open: Stretch | undefined
  for (let ms = startOfMonth(month); ms < startOfMonth(month + 1); ms += dayMs) {
    open ??= { fromMs: ms, toMs: ms, offsetMs: offsetAt(timezone, ms) }
    const nextMs = Math.min(ms + dayMs, startOfMonth(month + 1))
    const nextOffset = offsetAt(timezone, nextMs)
    if (nextOffset !== open.offsetMs) {
      open.toMs = changeBetween(timezone, ms, nextMs, open.offsetMs)
      stretches.push(open)
      open = { fromMs: open.toMs, toMs: nextMs, offsetMs: nextOffset }
    } else open.toMs = nextMs
  }
  if (open && open.toMs > open.fromMs) stretches.push(open)
  if (months.size >= monthsMax) months.clear()
  months.set(key, stretches)
  return stretches
}

/** Months are counted from the year 0. */
function startOfMonth(month: number): number {
  return Date.UTC(Math.floor(month / 12), month % 12)
}

/** The first instant at which the offset is no longer `before`, to the millisecond. */
function changeBetween(timezone: string, fromMs: number, toMs: number, before: number): number {
  let [same, changed] = [fromMs, toMs]
  while (changed - same > 1) {
    const middle = Math.floor((same + changed) / 2)
    if (offsetAt(timezone, middle) === before) same = middle
    else changed = middle
  }
  return changed
}
