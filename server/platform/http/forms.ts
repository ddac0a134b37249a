/**
 * Forms of the public pages. Their readers also meet mail programs that post on a person's behalf (RFC 8058), so the
 * three encodings that occur are understood, and anything else counts as a form without fields.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify'

export type Fields = Record<string, string>

const bodySizeBytesMax = 16 * 1024

/** Only for the scope that it is called on: the API itself takes no forms, which other sites could send. */
export function addForms(scope: FastifyInstance): void {
  scope.removeAllContentTypeParsers()
  const asText = { parseAs: 'string' as const, bodyLimit: bodySizeBytesMax }
  scope.addContentTypeParser(
    'application/x-www-form-urlencoded',
    asText,
    async (_request: FastifyRequest, body: string) => toFields(new URLSearchParams(body)),
  )
  scope.addContentTypeParser(/^multipart\/form-data/, asText, async (request: FastifyRequest, body: string) =>
    toFields(await readMultipart(request.headers['content-type'] ?? '', body)),
  )
  scope.addContentTypeParser('*', asText, async () => ({}))
}

/** The platform's own parser of `fetch` bodies; a broken form is one without fields. */
async function readMultipart(contentType: string, body: string): Promise<Iterable<[string, unknown]>> {
  const form = await new Response(body, { headers: { 'content-type': contentType } }).formData().catch(() => null)
  return form ? form.entries() : []
}

function toFields(entries: Iterable<[string, unknown]>): Fields {
  const fields: Fields = Object.create(null) as Fields
  for (const [name, value] of entries) if (typeof value === 'string') fields[name] ??= value
  return fields
}
