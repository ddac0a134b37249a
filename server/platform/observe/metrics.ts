/** Prometheus metrics. A factory, so that each app, and each test, counts for itself. */
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client'

export interface Metrics {
  registry: Registry
  /** Labels: method, route (the pattern), status. */
  httpDuration: Histogram<'method' | 'route' | 'status'>
  /** Labels: outcome (sent, failed, deferred, unknown, skipped). */
  deliveries: Counter<'outcome'>
  /** Labels: kind, status. */
  jobs: Counter<'kind' | 'status'>
  databaseConnections: Gauge<'state'>
}

export function createMetrics(): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const registers = [registry]
  return {
    registry,
    httpDuration: new Histogram({
      name: 'rapport_http_request_duration_seconds',
      help: 'Time from the first byte of a request to the last of its reply',
      labelNames: ['method', 'route', 'status'],
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
      registers,
    }),
    deliveries: new Counter({
      name: 'rapport_deliveries_total',
      help: 'Messages by outcome',
      labelNames: ['outcome'],
      registers,
    }),
    jobs: new Counter({ name: 'rapport_jobs_total', help: 'Ended jobs', labelNames: ['kind', 'status'], registers }),
    databaseConnections: new Gauge({
      name: 'rapport_database_connections',
      help: 'Connections of the pool',
      labelNames: ['state'],
      registers,
    }),
  }
}
