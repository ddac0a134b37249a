/** Fills the house: members `Agent 0001` and so on, in one statement however many they are. */
import { sql } from 'kysely'
import type { TestApp } from './start.ts'

interface Hired {
  /** How many of them have said at the help desk, just now, that they are there, or away; `silent` said so an hour ago. */
  online?: number
  away?: number
  silent?: number
  role?: 'admin' | 'agent' | 'viewer'
}

export async function hire(
  app: TestApp,
  count: number,
  { online = 0, away = 0, silent = 0, role = 'agent' }: Hired = {},
) {
  await app.inTx((tx) =>
    sql`with hired as (
        insert into accounts.users (id, email, full_name)
        select gen_random_uuid(), 'a' || n || '@desk.example', 'Agent ' || lpad(n::text, 4, '0')
        from generate_series(1, ${count}::int) as n returning id, full_name),
      members as (
        insert into accounts.memberships (workspace_id, user_id, role)
        select ${tx.workspaceId}, id, ${role} from hired returning user_id),
      numbered as (select id, row_number() over (order by full_name) as n from hired)
      insert into support.agents (workspace_id, user_id, capacity, presence, seen_at)
      select ${tx.workspaceId}, id, 20, case when n <= ${online}::int or n > ${online + away}::int then 'online' else 'away' end,
        now() - case when n <= ${online + away}::int then interval '1 second' else interval '1 hour' end
      from numbered where n <= ${online + away + silent}::int`.execute(tx.sql),
  )
}
