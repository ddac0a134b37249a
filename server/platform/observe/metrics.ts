// What is counted, in one place. Labels come from small fixed sets (route patterns, not paths; modules, not workspaces):
// every new label value is a new time series that lives until the process ends.
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'

export type PoolState = { total: number; idle: number; waiting: number }

export type Metrics = ReturnType<typeof createMetrics>

/** A registry of its own, so that several apps in one process (as in tests) do not add up. */
export function createMetrics(options: { withProcess?: boolean } = {}) {
  const registry = new Registry()
  const registers = [registry]
  if (options.withProcess) collectDefaultMetrics({ register: registry })

  return {
    registry,
    httpDuration: new Histogram({
      name: 'rapport_http_request_duration_seconds',
      help: 'Time to answer a request, by route pattern.',
      labelNames: ['method', 'route', 'status'] as const,
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
      registers,
    }),
    slowQueries: new Counter({
      name: 'rapport_db_slow_queries_total',
      help: 'Queries beyond the slow-query limit.',
      registers,
    }),
    jobs: new Counter({
      name: 'rapport_jobs_total',
      help: 'Finished jobs, by kind and outcome (succeeded, retried, dead).',
      labelNames: ['kind', 'outcome'] as const,
      registers,
    }),
    jobDuration: new Histogram({
      name: 'rapport_job_duration_seconds',
      help: 'Time that a job ran, by kind.',
      labelNames: ['kind'] as const,
      buckets: [0.01, 0.1, 1, 10, 60, 600],
      registers,
    }),
    outboxLag: new Gauge({
      name: 'rapport_outbox_lag_seconds',
      help: 'Age of the oldest event that is not relayed yet.',
      registers,
    }),
    events: new Counter({
      name: 'rapport_events_relayed_total',
      help: 'Events relayed, by target (reaction, webhook, broker) and outcome.',
      labelNames: ['target', 'outcome'] as const,
      registers,
    }),
    cachedReads: new Counter({
      name: 'rapport_cached_reads_total',
      help: 'Reads that may be answered from the cache, by read and outcome (hit, miss).',
      labelNames: ['read', 'outcome'] as const,
      registers,
    }),
    figuresRepaired: new Counter({
      name: 'rapport_contact_figures_repaired_total',
      help: 'Contacts whose figures (orders, bookings, tickets) were not what their facts say, and were put right.',
      registers,
    }),
    deliveries: new Counter({
      name: 'rapport_deliveries_total',
      help: 'Messages handed over, by channel and outcome (sent, deferred, failed, unknown, skipped).',
      labelNames: ['channel', 'outcome'] as const,
      registers,
    }),
    outbound: new Counter({
      name: 'rapport_outbound_requests_total',
      help: 'Requests to the outside, by outcome (2xx to 5xx, or the kind of failure).',
      labelNames: ['outcome'] as const,
      registers,
    }),
    /** Shows a database pool; it is asked at each scrape, so that nothing has to keep the gauge current. */
    watchPool(read: () => PoolState): void {
      new Gauge({
        name: 'rapport_db_pool_connections',
        help: 'Database connections, by state; waiting counts those who want one.',
        labelNames: ['state'] as const,
        registers,
        collect() {
          for (const [state, count] of Object.entries(read())) this.set({ state }, count)
        },
      })
    },
    /** The exposition text, and its content type. */
    async expose(): Promise<{ type: string; text: string }> {
      return { type: registry.contentType, text: await registry.metrics() }
    },
  }
}
