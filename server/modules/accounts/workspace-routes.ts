/** Doors: the workspace's settings and its API keys. */
import { Type } from 'typebox'
import { record, Reply, route, streamRoute } from '#platform/http/route.ts'
import {
  Closed,
  Id,
  NullableId,
  NullableTimestamp,
  Page,
  Problem,
  TextOrNull,
  Timestamp,
} from '#platform/http/shapes.ts'
import { createApiKey, listApiKeys, revokeApiKey } from './api-keys.ts'
import {
  Country,
  EmailShape,
  FullName,
  LanguageShape,
  StaffRoleShape,
  TimezoneShape,
  viewWorkspace,
  WorkspaceView,
} from './shapes.ts'
import type { ApiKeyRow } from './tables.ts'
import { changeWorkspace, getWorkspace } from './workspaces.ts'

const showWorkspace = route({
  method: 'GET',
  path: '/workspace',
  may: 'workspace.read',
  summary: 'The workspace and its settings',
  replies: { 200: WorkspaceView },
  run: async ({ tx }) => {
    const row = await getWorkspace(tx, tx.workspaceId)
    return record(viewWorkspace(row), row.version)
  },
})

const changeWorkspaceRoute = route({
  method: 'PATCH',
  path: '/workspace',
  may: 'workspace.update',
  summary: 'Change the workspace’s settings',
  body: Closed({
    name: Type.Optional(FullName),
    language: Type.Optional(LanguageShape),
    timezone: Type.Optional(TimezoneShape),
    country: Type.Optional(Country),
    currency: Type.Optional(Type.String({ pattern: '^[A-Z]{3}$', description: 'ISO 4217, such as EUR' })),
    mail_from: Type.Optional(Type.Union([EmailShape, Type.Null()])),
    mail_from_name: Type.Optional(TextOrNull(200)),
    postal_address: Type.Optional(TextOrNull(500, 'Shown at the foot of marketing mails')),
  }),
  replies: { 200: WorkspaceView, 412: Problem },
  run: async ({ tx, body, ifVersion }) => {
    const row = await changeWorkspace(tx, body, ifVersion)
    return record(viewWorkspace(row), row.version)
  },
})

const apiKeyFields = {
  id: Id,
  name: Type.String(),
  role: StaffRoleShape,
  scopes: Type.Unsafe<string[] | null>({ type: ['array', 'null'], items: { type: 'string' } }),
  ending: Type.String({ description: 'The last four characters' }),
  created_by: NullableId,
  created_at: Timestamp,
  expires_at: NullableTimestamp,
  last_used_at: NullableTimestamp,
}
const ApiKeyView = Type.Object(apiKeyFields, { $id: 'ApiKey' })

function viewApiKey(row: ApiKeyRow) {
  const { id, name, role, scopes, ending, created_by, created_at, expires_at, last_used_at } = row
  return { id, name, role, scopes, ending, created_by, created_at, expires_at, last_used_at }
}

const listKeys = route({
  method: 'GET',
  path: '/api-keys',
  may: 'api_key.manage',
  summary: 'API keys of the workspace',
  replies: { 200: Page(ApiKeyView) },
  run: async ({ tx }) => {
    const data = (await listApiKeys(tx)).map(viewApiKey)
    return { data, next_cursor: null, total: data.length }
  },
})

// Without Idempotency-Key: its stored answers would keep the key.
const createKey = streamRoute({
  method: 'POST',
  path: '/api-keys',
  may: 'api_key.manage',
  summary: 'Make an API key; it is shown in this answer and never again',
  body: Closed({
    name: FullName,
    role: StaffRoleShape,
    scopes: Type.Optional(
      Type.Array(Type.String({ maxLength: 100 }), {
        maxItems: 200,
        description: 'Permissions that the key is restricted to; all of its role when left out',
      }),
    ),
    expires_at: Type.Optional(Type.String({ format: 'date-time' })),
  }),
  replies: { 201: Type.Object({ ...apiKeyFields, key: Type.String() }) },
  stream: async ({ inTx, runtime, actor, body }) => {
    const { row, key } = await inTx((tx) => createApiKey(tx, actor, runtime.permissions, body))
    const headers = { location: `/api/v1/api-keys/${row.id}`, 'cache-control': 'no-store' }
    return new Reply(201, { ...viewApiKey(row), key }, headers)
  },
})

const revokeKey = route({
  method: 'DELETE',
  path: '/api-keys/:id',
  may: 'api_key.manage',
  summary: 'Revoke an API key; its next request is refused',
  params: Closed({ id: Id }),
  replies: { 204: Type.Null(), 404: Problem },
  run: async ({ tx, params }) => revokeApiKey(tx, params.id),
})

export const workspaceRoutes = [showWorkspace, changeWorkspaceRoute, listKeys, createKey, revokeKey]
