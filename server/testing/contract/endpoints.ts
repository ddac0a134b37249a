/** The endpoints that the documents name, from docs/endpoints.tsv, and the addresses at which each mode answers them. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import type { ServiceName } from '../../config/services.ts'

export type Document = '1' | '3' | '4' | '5'

export interface Endpoint {
  method: string
  /** Under /api/v1, parameters in braces. */
  address: string
  /** `POST /contacts/{id}/subscribe`: what a case is found by. */
  name: string
  isMounted: boolean
}

export const probes: ReadonlySet<string> = new Set(['/', '/health', '/status', '/metrics'])

export function endpointsOf(document: Document): Endpoint[] {
  return readFileSync(path.join(import.meta.dirname, '../../../docs/endpoints.tsv'), 'utf8')
    .split('\n')
    .filter((row) => row && !row.startsWith('#'))
    .map((row) => row.split('\t'))
    .filter(([, , , documents = '']) => documents.split(',').includes(document))
    .map(([method = '', address = '', status]) => ({
      method,
      address,
      name: `${method} ${address}`,
      isMounted: status === 'mounted',
    }))
}

/** A way of running, and of writing the addresses in it. */
export interface Mode {
  name: string
  service: ServiceName | null
  /** From the address under /api/v1 to the one that is asked for, from the root. */
  write: (address: string) => string
}

export const everything: Mode = { name: 'all of Rapport', service: null, write: (address) => `/api/v1${address}` }

export const withSlash = (mode: Mode): Mode => ({
  ...mode,
  name: `${mode.name}, with a slash at the end`,
  write: (address) => `${mode.write(address)}/`,
})

export const atRoot = (service: ServiceName): Mode => ({
  name: `the service ${service}, at its root`,
  service,
  write: (address) => address,
})

/** As document 4 writes them: /api/customers, /api/gdpr. */
export const withoutVersion = (service: ServiceName | null): Mode => ({
  name: service ? `the service ${service}, without the version` : 'all of Rapport, without the version',
  service,
  write: (address) => `/api${address}`,
})
