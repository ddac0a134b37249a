/**
 * The copy itself, `data.json`: everything that any module keeps of the person, as one JSON document that is written while
 * it is read, so that a long history needs no more memory than a short one. docs/personal-data.md describes it.
 */
import type { Tx } from '#platform/db/db.ts'
import type { Person } from '#platform/privacy/personal-data.ts'
import type { Services } from '#platform/services.ts'
import { getWorkspace } from '#modules/accounts/index.ts'

/** Raised when a field changes its meaning or goes; new sections and fields leave it as it is. */
export const schemaVersion = 1

export async function* writeDocument(tx: Tx, services: Services, person: Person): AsyncGenerator<string> {
  const workspace = await getWorkspace(tx, tx.workspaceId)
  const head = {
    schema: 'rapport.personal-data',
    schema_version: schemaVersion,
    generated_at: tx.now.toISOString(),
    workspace: { id: workspace.id, name: workspace.name },
    person: {
      contact_ids: person.contactIds,
      user_ids: person.userIds,
      emails: person.emails,
      phones: person.phones,
      names: person.names,
    },
  }
  yield `${JSON.stringify(head, null, 1).slice(0, -2)},\n "sections": {`
  let sections = 0
  for (const { name, data } of services.personalData) {
    let open: string | null = null
    let rowsOfTable = 0
    for await (const { table, rows } of data.export(tx, person)) {
      if (open !== table) {
        yield open === null ? `${sections++ ? ',' : ''}\n  ${JSON.stringify(name)}: {` : '],'
        yield `\n   ${JSON.stringify(table)}: [`
        open = table
        rowsOfTable = 0
      }
      for (const row of rows) yield `${rowsOfTable++ ? ',' : ''}\n    ${JSON.stringify(row)}`
    }
    if (open !== null) yield ']}'
  }
  yield '\n },\n "files": '
  const files = await personalFiles(tx, services, person)
  yield `${JSON.stringify(files.map(({ name }) => `files/${name}`))}\n}\n`
}

export async function personalFiles(tx: Tx, services: Services, person: Person) {
  const files = []
  for (const { data } of services.personalData) files.push(...((await data.files?.(tx, person)) ?? []))
  return files
}
