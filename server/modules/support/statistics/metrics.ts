/** What document 3 asks to watch, on /metrics: sums over all workspaces, because a label for each would grow without bound. */
import { Gauge } from 'prom-client'
import type { Runtime } from '#platform/services.ts'
import { priorities, ticketStatuses } from '../tables.ts'

interface Totals {
  by_status: Record<string, number>
  by_priority: Record<string, number>
  opened: number
  escalated: number
  late: number
  average_first_response_ms: string
  average_resolution_ms: string
  average_rating: string
  load_min: string
  load_average: string
  load_max: string
}

const asOf = 'As of the last hourly count.'

/** Asked for at each scrape, once for all gauges. */
export function showTotals({ metrics, db, log }: Runtime): void {
  let reading: Promise<Totals | null> | undefined
  const read = (): Promise<Totals | null> => {
    reading ??= db
      .lookup<Totals & Record<string, unknown>>('support.totals', 'select * from support.totals()', [])
      .then(([totals]) => totals ?? null)
      .catch((error: Error) => {
        log.warn({ err: error }, 'the totals of tickets could not be read')
        return null
      })
      .finally(() => (reading = undefined))
    return reading
  }
  const gauge = (name: string, help: string, value: (totals: Totals) => number): void => {
    new Gauge({
      name: `rapport_${name}`,
      help: `${help} ${asOf}`,
      registers: [metrics.registry],
      async collect() {
        const totals = await read()
        if (totals) this.set(value(totals))
      },
    })
  }
  const labelled = (
    name: string,
    help: string,
    label: string,
    names: readonly string[],
    value: (totals: Totals, name: string) => number,
  ): void => {
    new Gauge({
      name: `rapport_${name}`,
      help: `${help} ${asOf}`,
      labelNames: [label],
      registers: [metrics.registry],
      async collect() {
        const totals = await read()
        if (totals) for (const each of names) this.set({ [label]: each }, value(totals, each))
      },
    })
  }
  labelled('tickets', 'Tickets, by status.', 'status', ticketStatuses, (all, name) => all.by_status[name] ?? 0)
  labelled('tickets_open', 'Tickets that have not ended, by priority.', 'priority', priorities, (all, name) => {
    return all.by_priority[name] ?? 0
  })
  labelled('ticket_agent_load', 'Weight of tickets in the hands of one agent.', 'of', loads, (all, name) =>
    Number(all[`load_${name as (typeof loads)[number]}`]),
  )
  gauge('ticket_first_response_seconds_average', 'Mean time to the first answer, of thirty days.', (all) => {
    return Number(all.average_first_response_ms) / 1_000
  })
  gauge('ticket_resolution_seconds_average', 'Mean time to the end of a ticket, of thirty days.', (all) => {
    return Number(all.average_resolution_ms) / 1_000
  })
  gauge('ticket_satisfaction_average', 'Mean rating from 1 to 5, of thirty days; 0 without any.', (all) => {
    return Number(all.average_rating)
  })
  const share = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole)
  gauge('ticket_escalation_ratio', 'Escalated tickets, of those opened in thirty days.', (all) => {
    return share(all.escalated, all.opened)
  })
  gauge('tickets_escalated', 'Tickets opened in thirty days that escalated.', (all) => all.escalated)
  gauge('ticket_late_ratio', 'Tickets with a broken promise, of those opened in thirty days.', (all) => {
    return share(all.late, all.opened)
  })
}

const loads = ['min', 'average', 'max'] as const
