/** Sends a file to the import's doors, and lets the import happen. */
import { expect } from 'vitest'
import type { Client, TestApp, TestReply } from './start.ts'

/** Answers the import as its door shows it, when its job has ended. */
export async function importFile(
  app: TestApp,
  client: Client,
  content: string | Buffer,
  options: Record<string, unknown> = {},
): Promise<TestReply['body']> {
  const reply = await client.post('/contacts/import', ...form(content, options))
  expect(reply.body).toMatchObject({ kind: 'contacts.import' })
  expect(reply.status).toBe(202)
  await app.drain()
  return (await client.get(`/contacts/imports/${reply.body.import_id}`)).body
}

/** What an import would do: the counts, and the result of its job. */
export async function rehearse(
  app: TestApp,
  client: Client,
  content: string | Buffer,
  options: Record<string, unknown> = {},
): Promise<TestReply['body']> {
  const reply = await client.post('/contacts/import', ...form(content, { ...options, dry_run: true }))
  expect(reply.status, reply.text).toBe(202)
  await app.drain()
  return (await client.get(`/jobs/${reply.body.id}`)).body.result
}

export function form(
  content: string | Buffer,
  options: Record<string, unknown> = {},
): [Buffer, Record<string, string>] {
  const boundary = 'the-boundary-of-a-test'
  const fields = Object.entries(options).map(([name, value]) => {
    const text = typeof value === 'string' ? value : JSON.stringify(value)
    return `--${boundary}\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${text}\r\n`
  })
  const head = `--${boundary}\r\ncontent-disposition: form-data; name="file"; filename="people.csv"\r\ncontent-type: text/csv\r\n\r\n`
  const body = Buffer.concat([
    Buffer.from(fields.join('') + head),
    Buffer.from(content),
    Buffer.from(`\r\n--${boundary}--\r\n`),
  ])
  return [body, { 'content-type': `multipart/form-data; boundary=${boundary}` }]
}
