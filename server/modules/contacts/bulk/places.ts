/** Bulk actions on tags and static lists; document 5 calls the latter groups. */
import { sql } from 'kysely'
import type { Tx } from '#platform/db/db.ts'
import { Invalid } from '#platform/errors.ts'
import { deleteMembers, insertMembers } from '../membership.ts'
import { tagContacts, untagContacts } from '../tagging.ts'
import { ensureTags } from '../tags.ts'
import type { BulkActionKind } from './action.ts'

const hasTag = (id: string | null) => sql<boolean>`exists (
  select from contacts.contact_tags ct where ct.workspace_id = c.workspace_id and ct.tag_id = ${id}::uuid and ct.contact_id = c.id)`

const isMember = (id: string) => sql<boolean>`exists (
  select from contacts.list_members m where m.workspace_id = c.workspace_id and m.list_id = ${id}::uuid and m.contact_id = c.id)`

/** The tag is made with the first batch: a dry run makes nothing. */
export const addTag: BulkActionKind = {
  check: ({ params }) => void requireTag(params.tag),
  async plan({ tx, actor, params }) {
    const name = requireTag(params.tag)
    return {
      facts: { tag: name },
      outcome: sql`case when ${hasTag(await tagId(tx, name))} then 'same' else 'change' end`,
      async apply(ids) {
        const [tag] = await ensureTags(tx, actor, [name])
        return { changed: (await tagContacts(tx, actor, [tag!.id], ids)).length }
      },
    }
  },
}

export const removeTag: BulkActionKind = {
  check: ({ params }) => void requireTag(params.tag),
  async plan({ tx, actor, params }) {
    const name = requireTag(params.tag)
    const id = await tagId(tx, name)
    return {
      facts: { tag: name },
      outcome: sql`case when ${hasTag(id)} then 'change' else 'same' end`,
      apply: async (ids) => ({ changed: (await untagContacts(tx, actor, id ? [id] : [], ids)).length }),
    }
  },
}

export function addTo(pointer: 'list_id' | 'group_id'): BulkActionKind {
  return {
    check: ({ tx, params }) => requireStaticList(tx, params[pointer], pointer),
    async plan({ tx, actor, params }) {
      const id = params[pointer]!
      const list = await findList(tx, id)
      const member = isMember(id)
      return {
        facts: { list_id: id, list: list?.name ?? null },
        outcome: isFillable(list) ? sql`case when ${member} then 'same' else 'change' end` : sql`'list_gone'`,
        apply: async (ids) => ({ changed: (await insertMembers(tx, actor, [id], ids)).length }),
      }
    },
  }
}

export function removeFrom(pointer: 'list_id' | 'group_id'): BulkActionKind {
  return {
    check: ({ tx, params }) => requireStaticList(tx, params[pointer], pointer),
    async plan({ tx, actor, params }) {
      const id = params[pointer]!
      const list = await findList(tx, id)
      const member = isMember(id)
      return {
        facts: { list_id: id, list: list?.name ?? null },
        outcome: isFillable(list) ? sql`case when ${member} then 'change' else 'same' end` : sql`'list_gone'`,
        apply: async (ids) => ({ changed: (await deleteMembers(tx, actor, [id], ids)).length }),
      }
    },
  }
}

function requireTag(name: string | undefined): string {
  const trimmed = name?.trim()
  if (!trimmed) throw Invalid.at('/params/tag', 'required', 'Which tag?')
  return trimmed
}

async function tagId(tx: Tx, name: string): Promise<string | null> {
  const { rows } = await sql<{ id: string }>`
    select id from contacts.tags where workspace_id = ${tx.workspaceId} and lower(name) = lower(${name})`.execute(
    tx.sql,
  )
  return rows[0]?.id ?? null
}

interface FoundList {
  name: string
  type: 'static' | 'dynamic'
}

async function findList(tx: Tx, id: string): Promise<FoundList | null> {
  const row = await tx.sql
    .selectFrom('contacts.lists')
    .select(['name', 'type'])
    .where('workspace_id', '=', tx.workspaceId)
    .where('id', '=', id)
    .where('deleted_at', 'is', null)
    .executeTakeFirst()
  return row ?? null
}

function isFillable(list: FoundList | null): boolean {
  return list?.type === 'static'
}

async function requireStaticList(tx: Tx, id: string | undefined, name: 'list_id' | 'group_id'): Promise<void> {
  const pointer = `/params/${name}`
  if (!id) throw Invalid.at(pointer, 'required', name === 'list_id' ? 'Which list?' : 'Which group?')
  const list = await findList(tx, id)
  if (!list) throw Invalid.at(pointer, 'not_found', 'There is no such list here.')
  if (!isFillable(list)) {
    throw Invalid.at(
      pointer,
      'list_is_dynamic',
      'This list fills itself by its rule. Change the rule, or duplicate the list as a static one and use that.',
    )
  }
}
