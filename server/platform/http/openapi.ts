/** The OpenAPI 3.1 document, made of the doors themselves: what is not mounted is not in it, and nothing else is. */
import { Type, type TSchema } from 'typebox'
import type { AnyRoute } from './route.ts'
import { Problem } from './shapes.ts'

type Json = Record<string, unknown>

export interface ApiDocument {
  openapi: '3.1.0'
  info: Json
  tags: { name: string }[]
  security: Json[]
  paths: Record<string, Record<string, Operation>>
  components: Record<string, Json>
}

export interface Operation extends Json {
  operationId: string
  summary: string
  responses: Record<string, Json>
}

export function describeApi(routes: AnyRoute[]): ApiDocument {
  const schemas: Json = {}
  const paths: ApiDocument['paths'] = { ...operations }
  for (const route of routes) {
    const { path, root, method } = route.options
    const address = `${root ? '' : '/api/v1'}${path}`.replaceAll(/:(\w+)/g, '{$1}')
    paths[address] = { ...paths[address], [method.toLowerCase()]: describeRoute(route, schemas) }
  }
  refer(Problem, schemas)
  const tags = [
    ...new Set(Object.values(paths).flatMap((item) => Object.values(item).flatMap(({ tags }) => tags as string[]))),
  ]
  return {
    openapi: '3.1.0',
    info: {
      title: 'Rapport',
      version: '1',
      description:
        'Every conversation with a customer in one place. JSON in snake_case; times RFC 3339 in UTC; lists by cursor; ' +
        'errors as RFC 9457 problem documents with a stable `code`.',
      license: { name: 'AGPL-3.0-or-later', identifier: 'AGPL-3.0-or-later' },
    },
    tags: tags.toSorted().map((name) => ({ name })),
    security: [{ bearer: [] }, { session: [] }],
    paths: sorted(paths),
    components: {
      schemas: sorted(schemas),
      parameters: headerParameters,
      responses: Object.fromEntries(
        Object.entries(commonErrors).map(([status, [name, description]]) => [name, problemReply(description, status)]),
      ),
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'An API key (rk_…) or a token of your auth service' },
        session: {
          type: 'apiKey',
          in: 'cookie',
          name: '__Host-rapport',
          description: 'The web application; changes carry X-CSRF-Token',
        },
      },
    },
  }
}

/** Replies that any door may give, by the name of their component. */
const commonErrors: Record<string, [name: string, description: string]> = {
  400: ['Unreadable', 'Not readable: broken JSON, a foreign cursor, a malformed header'],
  401: ['Unauthenticated', 'No valid identity'],
  403: ['Forbidden', 'Known, and not allowed'],
  404: ['NotFound', 'Absent, or not theirs to know of'],
  409: ['Conflict', 'In conflict with what is there; `code` names the conflict'],
  412: ['Stale', '`If-Match` named an older version'],
  413: ['TooLarge', 'Larger than the limit'],
  415: ['UnsupportedMedia', 'A kind of content that this address does not take'],
  422: ['Invalid', 'Understood, and not acceptable; `errors` points at what'],
  429: ['TooMany', 'Too many requests; `Retry-After` says when to go on'],
  500: ['Fault', 'A fault of ours; the log has the `request_id`'],
  503: ['Unavailable', 'A needed part does not answer; `Retry-After` says when to try again'],
}

const headerParameters = {
  IdempotencyKey: {
    name: 'Idempotency-Key',
    in: 'header',
    required: false,
    description: 'The first answer under a key is kept for 24 hours and given again',
    schema: { type: 'string', maxLength: 255 },
  },
  IfMatch: {
    name: 'If-Match',
    in: 'header',
    required: false,
    description: 'The ETag that was read; an older one is refused with 412',
    schema: { type: 'string' },
  },
}

function describeRoute(route: AnyRoute, schemas: Json): Operation {
  const { method, path, may, summary, description, params, query, body, replies, page, unmetered } = route.options
  const isPublic = may === 'public'
  const own = Object.entries(replies).map(([status, reply]) => [
    status,
    describeReply(route, Number(status), reply, schemas),
  ])
  const errors = [
    400,
    ...(isPublic ? [] : [401, ...(may === 'signed in' && method === 'GET' ? [] : [403])]),
    ...(params || query || body ? [422] : []),
    ...(params ? [404] : []),
    ...(['PUT', 'PATCH', 'DELETE'].includes(method) && !page ? [412] : []),
    ...(unmetered ? [] : [429]),
    500,
    503,
  ]
  const common = errors.filter((status) => !(status in replies)).map((status) => [status, referToError(status)])
  const headers =
    method === 'POST' && !page ? ['IdempotencyKey'] : ['PUT', 'PATCH', 'DELETE'].includes(method) ? ['IfMatch'] : []
  const parameters = [
    ...describeParameters('path', params, schemas),
    ...describeParameters('query', query, schemas),
    ...headers.map((name) => ({ $ref: `#/components/parameters/${name}` })),
  ]
  return {
    operationId: nameOf(method, path),
    summary,
    ...(description ? { description } : {}),
    tags: [path.split('/')[1]?.replaceAll(/[^\w-]/g, '') || 'root'],
    ...(isPublic ? { security: [] } : { 'x-permission': may }),
    ...(parameters.length ? { parameters } : {}),
    ...(body || route.multipart ? { requestBody: describeBody(route, body, schemas) } : {}),
    responses: Object.fromEntries([...own, ...common]) as Record<string, Json>,
  }
}

function describeParameters(place: 'path' | 'query', shape: TSchema | undefined, schemas: Json): Json[] {
  if (!shape) return []
  const { properties = {}, required = [] } = shape as { properties?: Record<string, TSchema>; required?: string[] }
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    schema: refer(schema, schemas),
  }))
}

function describeBody(route: AnyRoute, body: TSchema | undefined, schemas: Json): Json {
  const file = { type: 'object', properties: { file: { type: 'string', format: 'binary' } } }
  const schema = body ? refer(body, schemas) : file
  const type = route.options.page ? 'application/x-www-form-urlencoded' : 'application/json'
  const content = {
    ...(body ? { [type]: { schema } } : {}),
    ...(route.multipart ? { 'multipart/form-data': { schema: file } } : {}),
  }
  return { required: body !== undefined && !Type.IsOptional(body), content }
}

function describeReply(route: AnyRoute, status: number, reply: TSchema, schemas: Json): Json {
  if (reply === Problem) return referToError(status)
  const description = status < 300 ? (successes[status] ?? 'Done') : 'Refused'
  if (status === 204 || Type.IsNull(reply)) return { description }
  const schema = refer(reply, schemas)
  return { description, content: { [contentType(route, reply)]: { schema } } }
}

const successes: Record<number, string> = {
  200: 'Done',
  201: 'Made; `Location` names it',
  202: 'Accepted; the work goes on',
  204: 'Done; nothing to say',
}

/** JSON, unless a schema says otherwise by `contentMediaType`, or is text or a stream. */
function contentType(route: AnyRoute, reply: TSchema): string {
  const { contentMediaType, type } = reply as { contentMediaType?: string; type?: unknown }
  if (contentMediaType) return contentMediaType
  if (type === 'string') return route.options.page ? 'text/html' : 'text/plain'
  return route.kind === 'stream' && type === undefined && !('anyOf' in reply)
    ? 'application/octet-stream'
    : 'application/json'
}

function problemReply(description: string, status: string): Json {
  const retry = { 'Retry-After': { schema: { type: 'integer' }, description: 'seconds' } }
  return {
    description,
    ...(['429', '503'].includes(status) ? { headers: retry } : {}),
    content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
  }
}

function referToError(status: number): Json {
  const name = commonErrors[status]?.[0]
  return name ? { $ref: `#/components/responses/${name}` } : problemReply('Refused', String(status))
}

/** A copy in which every shape that has a name stands in `components`, once. */
function refer(schema: unknown, schemas: Json): unknown {
  if (Array.isArray(schema)) return schema.map((item) => refer(item, schemas))
  if (typeof schema !== 'object' || schema === null) return schema
  const { $id: name, ...rest } = schema as Json & { $id?: string }
  const copy = (): Json => Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, refer(value, schemas)]))
  if (typeof name !== 'string') return copy()
  schemas[name] ??= copy()
  return { $ref: `#/components/schemas/${name}` }
}

/** `POST /contacts/:id/notes` → `postContactsByIdNotes`. */
function nameOf(method: string, path: string): string {
  const words = path
    .replaceAll(/:(\w+)/g, 'by-$1')
    .split(/\W+|_/)
    .filter(Boolean)
  return method.toLowerCase() + words.map((word) => word[0]!.toUpperCase() + word.slice(1)).join('')
}

function sorted<Value>(entries: Record<string, Value>): Record<string, Value> {
  return Object.fromEntries(Object.entries(entries).toSorted(([one], [other]) => (one < other ? -1 : 1)))
}

const text = (type: string) => ({ description: 'Done', content: { [type]: { schema: { type: 'string' } } } })
const state = (names: string[], sometimes: string[] = []) => ({
  'application/json': {
    schema: {
      type: 'object',
      properties: Object.fromEntries([...names, ...sometimes].map((name) => [name, { type: 'string' }])),
      required: names,
    },
  },
})

/** The probes at the root, which have no door of their own. */
const operations: ApiDocument['paths'] = {
  '/': {
    get: {
      operationId: 'getWelcome',
      summary: 'Who answers here; a browser gets the web application instead',
      tags: ['operations'],
      security: [],
      responses: {
        200: { description: 'Welcome', content: state(['message', 'service', 'status', 'docs', 'openapi', 'api']) },
      },
    },
  },
  '/health': {
    get: {
      operationId: 'getHealth',
      summary: 'Liveness: this process answers',
      tags: ['operations'],
      security: [],
      responses: { 200: { description: 'Alive', content: state(['status', 'service']) } },
    },
  },
  '/status': {
    get: {
      operationId: 'getStatus',
      summary: 'Readiness: the database answers, and the object storage where one is configured',
      tags: ['operations'],
      security: [],
      responses: {
        200: { description: 'Ready', content: state(['status', 'database'], ['files']) },
        503: { description: 'Not ready', content: state(['status', 'database'], ['files']) },
      },
    },
  },
  '/metrics': {
    get: {
      operationId: 'getMetrics',
      summary: 'Prometheus metrics',
      tags: ['operations'],
      security: [],
      responses: { 200: text('text/plain') },
    },
  },
}
