/**
 * What is mentioned elsewhere than it is kept: the module that keeps it says who sees it, and whoever mentions it asks by
 * `services.sights`, so that a mention tells nobody more than the thing itself would.
 */
import type { Actor, Permissions } from './actor.ts'
import type { Tx } from './db/db.ts'

/** Of these ids, those whose thing the actor may see. */
export type Sight = (tx: Tx, actor: Actor, ids: string[], permissions: Permissions) => Promise<Set<string>>

/** By the kind of thing, such as `ticket`. */
export type Sights = Readonly<Record<string, Sight>>
