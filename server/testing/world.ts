/** A small world with names: tests say "maria", not "user 3". */
import { sql } from 'kysely'
import type { Role } from '#platform/actor.ts'
import type { Db } from '#platform/db/db.ts'
import { newId } from '#platform/ids.ts'

interface Person {
  id: string
  email: string
  name: string
  role: Role
}

export interface World {
  workspaceId: string
  otherWorkspaceId: string
  people: Record<'anna' | 'adrian' | 'maria' | 'agnes' | 'victor', Person>
  /** Owns another workspace, and must never see anything of this one. */
  stranger: Person
}

/** "Le Vieux Moulin" and its people, and a stranger next door. */
export async function makeWorld(db: Db): Promise<World> {
  const person = (name: string, role: Role): Person => ({
    id: newId(),
    email: `${name.toLowerCase()}@moulin.example`,
    name,
    role,
  })
  const world: World = {
    workspaceId: newId(),
    otherWorkspaceId: newId(),
    people: {
      anna: person('Anna', 'owner'),
      adrian: person('Adrian', 'admin'),
      maria: person('Maria', 'marketer'),
      agnes: person('Agnes', 'agent'),
      victor: person('Victor', 'viewer'),
    },
    stranger: person('Stranger', 'owner'),
  }
  await db.transaction('system', async (tx) => {
    await sql`insert into accounts.workspaces (id, name, slug) values
      (${world.workspaceId}, 'Le Vieux Moulin', 'moulin'), (${world.otherWorkspaceId}, 'Elsewhere', 'elsewhere')`.execute(
      tx.sql,
    )
    for (const { id, email, name, role } of [...Object.values(world.people), world.stranger]) {
      const workspaceId = name === 'Stranger' ? world.otherWorkspaceId : world.workspaceId
      await sql`insert into accounts.users (id, email, full_name) values (${id}, ${email}, ${name})`.execute(tx.sql)
      await sql`insert into accounts.memberships (workspace_id, user_id, role) values (${workspaceId}, ${id}, ${role})`.execute(
        tx.sql,
      )
    }
  })
  return world
}
