// Merging and its undoing, through the doors.
import assert from 'node:assert/strict'
import { test } from 'vitest'
import { start, type TestApp } from '#testing/start.ts'

type Fields = Record<string, unknown>

async function make(app: TestApp, ...people: Fields[]): Promise<string[]> {
  const ids: string[] = []
  for (const [index, person] of people.entries()) {
    const { status, body } = await app
      .as('maria')
      .post('/contacts', { first_name: 'Ana', email: `person-${index}@example.com`, ...person })
    assert.equal(status, 201, JSON.stringify(body))
    ids.push(body.id as string)
  }
  return ids
}

test('a merge brings everything to the primary, and tells the world once', async () => {
  await using app = await start()
  const [one, two] = (await make(
    app,
    { email: 'ana@example.com', company: 'Moulin', tags: ['vip'], custom_fields: { size: 'M' } },
    {
      email: 'ana.old@example.com',
      company: 'Mill',
      job_title: 'Baker',
      tags: ['vip', 'bread'],
      custom_fields: { size: 'L', shoe: 40 },
    },
  )) as [string, string]
  await app.as('maria').post(`/contacts/${two}/notes`, { content: 'Likes rye.' })
  await app.drainEvents()
  const reply = await app.as('maria').post('/contacts/merge', { primary_id: one, duplicate_ids: [two] })
  assert.equal(reply.status, 200, JSON.stringify(reply.body))
  const { body } = reply
  assert.deepEqual(
    [body.id, body.company, body.job_title, body.tags.toSorted(), body.custom_fields],
    [one, 'Moulin', 'Baker', ['bread', 'vip'], { size: 'M', shoe: 40 }],
  )
  const notes = await app.as('maria').get(`/contacts/${one}/notes`)
  assert.deepEqual(
    notes.body.data.map(({ content }: Fields) => content),
    ['Likes rye.'],
  )
  assert.deepEqual(
    (await app.drainEvents()).filter((name) => !name.startsWith('list.')),
    ['contact.updated', 'customer.updated', 'contact.merged', 'customer.merged'],
  )
  const gone = await app.as('maria').get(`/contacts/${two}`)
  assert.deepEqual([gone.status, gone.body.code, gone.body.merged_into], [404, 'merged', one])
  const { status, body: undone } = await app.as('maria').post(`/contacts/merges/${body.merge_id}/undo`)
  assert.equal(status, 200, JSON.stringify(undone))
  assert.deepEqual(undone.merge.kept, [])
  assert.deepEqual(
    [undone.contact.tags, undone.contact.job_title, undone.contact.custom_fields],
    [['vip'], null, { size: 'M' }],
  )
  assert.deepEqual(
    [undone.restored[0].tags.toSorted(), undone.restored[0].email],
    [['bread', 'vip'], 'ana.old@example.com'],
  )
  assert.equal((await app.as('maria').get(`/contacts/${two}/notes`)).body.total, 1)
  assert.deepEqual((await app.drainEvents()).slice(0, 6), [
    'contact.updated',
    'customer.updated',
    'contact.updated',
    'customer.updated',
    'contact.unmerged',
    'customer.unmerged',
  ])
})
