/**
 * Service modes: `serve --module contacts` answers at the addresses, on the port and under the RabbitMQ names that the
 * document of that service writes, besides /api/v1. It is the same program on the same database, without its web pages.
 */
export const serviceNames = ['contacts', 'support', 'communication', 'customers'] as const
export type ServiceName = (typeof serviceNames)[number]

export interface Service {
  name: ServiceName
  /** As `/health` tells it. */
  title: string
  /** Where neither PORT nor APP_PORT says otherwise. */
  port: number
  /** Beginnings of addresses that are written without /api/v1. */
  paths: readonly string[]
  /** In RabbitMQ, where the configuration does not name others; null where the document has none. */
  exchange: string | null
  queue: string | null
}

const services: Record<ServiceName, Omit<Service, 'name'>> = {
  contacts: {
    title: 'contacts-service',
    port: 8008,
    paths: ['/contacts', '/lists', '/tags', '/public'],
    exchange: 'contacts_exchange',
    queue: 'contacts_queue',
  },
  support: {
    title: 'sav-service',
    port: 8007,
    paths: ['/tickets', '/public/tickets'],
    exchange: 'sav_exchange',
    queue: 'sav_queue',
  },
  communication: {
    title: 'communication-service',
    port: 3000,
    paths: ['/communication'],
    exchange: null,
    queue: null,
  },
  customers: {
    title: 'customers-service',
    port: 8000,
    paths: ['/customers', '/gdpr'],
    exchange: 'bee.customers.events',
    queue: null,
  },
}

export function isServiceName(name: unknown): name is ServiceName {
  return serviceNames.some((known) => known === name)
}

export function toService(name: ServiceName | null): Service | null {
  return name ? { name, ...services[name] } : null
}
