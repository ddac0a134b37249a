/** What is told of to other programs. */
import { sql } from 'kysely'
import type { TestApp } from '../start.ts'

export interface Told {
  event: string
  data: Record<string, unknown>
}

/** What a step tells that was not told before, oldest first. */
export async function toldBy(app: TestApp, step: () => Promise<unknown>): Promise<Told[]> {
  const read = () =>
    app.inTx((tx) =>
      sql<Told & { seq: number }>`
        select seq, event, coalesce(each.item -> 'data', data) as data from platform.outbox
        left join lateral jsonb_array_elements(case when is_bundle then data else '[]' end) as each(item) on true
        where workspace_id = ${app.world.workspaceId} and not is_foreign order by seq`.execute(tx.sql),
    )
  const before = (await read()).rows.at(-1)?.seq ?? 0
  await step()
  await app.drain()
  return (await read()).rows.filter(({ seq }) => seq > before).map(({ event, data }) => ({ event, data }))
}
