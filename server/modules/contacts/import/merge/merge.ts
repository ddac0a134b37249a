/**
 * One batch of an import, from staged lines to contacts, with one statement per table. Rows that carry the same address
 * go in waves, so that the second row of a person meets what the first one wrote, exactly as if rows came one by one.
 */
import { sql } from 'kysely'
import type { Tx } from '#platform/db/db.ts'
import { adoptFigures } from '../../facts/figures.ts'
import { changeKnown } from './changing.ts'
import { recordConsents, recordKnownConsents, suppressLeavers } from './consents.ts'
import { insertNew, matchKnown } from './matching.ts'
import { nothing, type Keys, type MergePlan, type Outcome, type Staged, type Wave } from './plan.ts'
import { markSuppressed, saysNo, speaksOfConsent, stage } from './staging.ts'
import { addTags, addToList } from './tagging.ts'
import { publishAll, tellTimeline } from './telling.ts'

export async function mergeBatch(tx: Tx, services: Keys, plan: MergePlan, staged: Staged): Promise<Outcome> {
  await stage(tx, plan.columns, staged.text)
  if (speaksOfConsent(plan)) await markSuppressed(tx, services)
  const outcome: Outcome = { ...nothing }
  const at = { tx, services, plan, staged, has: new Set(plan.columns) }
  for (let wave = 0; wave < staged.waves; wave++) {
    const one = await mergeWave({ ...at, wave })
    outcome.created += one.created
    outcome.changed += one.changed
    outcome.untouched += one.untouched
    outcome.undeclaredConsents += one.undeclaredConsents
  }
  // After the others, so that a "no" also finds whom this very batch has made.
  for (let wave = -1; wave >= -staged.refusals; wave--) await keepRefusals({ ...at, wave })
  return outcome
}

async function mergeWave(at: Wave): Promise<Outcome> {
  const { plan } = at
  const found = await matchKnown(at)
  const { created, met } = await insertNew(at)
  const known = found + met
  const mayChange = plan.duplicates !== 'skip' || saysNo(plan.columns)
  if (known && mayChange) await changeKnown(at)
  if (plan.columns.some(isFigure)) await adoptFigures(at.tx, await touchedIds(at))
  await addTags(at, known > 0)
  if (plan.listId) await addToList(at, known > 0)
  if (speaksOfConsent(plan)) await recordConsents(at, known > 0)
  const { changed, total, undeclared } = await countWave(at)
  await tellTimeline(at)
  await publishAll(at, known > 0 && mayChange)
  return { created, changed, untouched: total - created - changed, undeclaredConsents: undeclared }
}

/** What we have no facts of: later facts are added to it. */
function isFigure(name: string): boolean {
  return /^(total|last)_|^lifetime_value$/.test(name)
}

async function touchedIds({ tx, wave }: Wave): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    select coalesce(contact_id, id) as id from pg_temp.import_rows
    where wave = ${wave} and (contact_id is null or changed)`.execute(tx.sql)
  return rows.map((row) => row.id)
}

/** A row that cannot be imported can still say that somebody left; that much of it is kept. */
async function keepRefusals(at: Wave): Promise<void> {
  const found = await matchKnown(at)
  if (found) {
    await changeKnown(at)
    await recordKnownConsents(at)
  }
  await suppressLeavers(at)
  if (!found) return
  await tellTimeline(at)
  await publishAll(at, true)
}

async function countWave({ tx, plan, wave, has }: Wave) {
  const said = (['newsletter_subscribed', 'marketing_subscribed'] as const).filter((name) => has.has(name))
  const undeclared =
    plan.consent || !said.length
      ? sql`0`
      : sql`count(*) filter (where ${sql.join(
          said.map((name) => sql.ref(`r.${name}`)),
          sql` or `,
        )})`
  const { rows } = await sql<{ changed: number; total: number; undeclared: number }>`
    select count(*) filter (where changed) as changed, count(*) as total, ${undeclared} as undeclared
    from pg_temp.import_rows r where wave = ${wave}
  `.execute(tx.sql)
  return rows[0]!
}
