/** The numbers that people call tickets by: `TICKET-20240115-001`, counted anew each day of the workspace's calendar. */
import type { Tx } from '#platform/db/db.ts'

/**
 * As many numbers of today, in order. They are drawn at once, so that those who open tickets need not wait for each other;
 * where the transaction fails, its numbers are missing from the row.
 */
export async function drawTicketNumbers(tx: Tx, prefix: string, timezone: string, count: number): Promise<string[]> {
  const day = dayAt(timezone, tx.now)
  const first = await tx.draw(`ticket ${day}`, count)
  return Array.from({ length: count }, (_, n) => `${prefix}-${day}-${String(first + n).padStart(3, '0')}`)
}

const formats = new Map<string, Intl.DateTimeFormat>()

/** `20240115`. */
function dayAt(timezone: string, at: Date): string {
  let format = formats.get(timezone)
  if (!format) {
    format = new Intl.DateTimeFormat('en-CA', { timeZone: timezone, year: 'numeric', month: '2-digit', day: '2-digit' })
    formats.set(timezone, format)
  }
  return format.format(at).replaceAll('-', '')
}
