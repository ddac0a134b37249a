/** The manifest of a module: all that the platform mounts of it, in one object. `modules.ts` lists them by hand. */
import type { Event } from './events/outbox.ts'
import type { MailHandler } from './mail-in/handler.ts'
import type { JobDefinition } from './jobs/job.ts'
import type { AnyRoute } from './http/route.ts'
import type { Permissions } from './actor.ts'
import type { PersonalData } from './privacy/personal-data.ts'
import type { Runtime, Services } from './services.ts'
import type { Sights } from './sight.ts'
import type { Tx } from './db/db.ts'

export interface Module {
  name: string
  /** Folder of numbered SQL files. */
  migrations?: string
  permissions?: Permissions
  routes?: AnyRoute[]
  reactions?: Reaction[]
  /** Names of events that other programs send and a reaction here understands; RabbitMQ is asked for these. */
  hears?: string[]
  jobs?: JobDefinition[]
  schedule?: Task[]
  /** Things that run as long as the worker does, such as the delivery engine. */
  workers?: ((runtime: Runtime) => Worker)[]
  /** What it adds to /metrics; called once, at the start. Reading it must not fail a scrape. */
  metrics?: (runtime: Runtime) => void
  /** What it makes of mail that comes in; asked in the order of the modules, until one answers. */
  mail?: MailHandler[]
  /** Who sees the things it keeps, where other modules mention them. */
  sights?: Sights
  /** Every module with a table that names a contact has both; a test walks the tables. */
  personalData?: PersonalData
}

/** `stop` finishes what is in hand; `drain` works until nothing is left that could be done now (tests call it). */
export interface Worker {
  start(): void
  drain(): Promise<void>
  stop(): Promise<void>
}

/** In-process reaction to an event: at least once, so it dedupes by the inbox; in order per subject. */
export interface Reaction {
  event: string
  /** Names the reaction in the inbox: `<module>.<function>`. Never changed. */
  consumer: string
  /** Bundles are ours alone: a reaction to what other programs tell leaves them closed, a million as cheaply as none. */
  fromOutside?: boolean
  /** Events of one workspace, oldest first, each for the first time. */
  run(tx: Tx, events: Event[], services: Services): Promise<void>
}

export interface Task {
  name: string
  /** Cron in UTC: minute hour day month weekday. */
  cron: string
  run(runtime: Runtime): Promise<void>
}

export function defineModule(module: Module): Module {
  return module
}

export function when(
  event: string,
  consumer: string,
  run: (tx: Tx, events: Event[], services: Services) => Promise<void>,
): Reaction {
  return { event, consumer, run }
}

export function every(cron: string, name: string, run: (runtime: Runtime) => Promise<void>): Task {
  return { cron, name, run }
}
