// The workspace itself, its people and its keys.
import { queryOptions } from '@tanstack/react-query'
import { get, patch, post, remove } from './client.ts'
import { etagOf } from './contacts.ts'
import type { ApiKey, Invitation, Kept, Member, OwnSession, Page, Role, Workspace } from './types.ts'

export const workspaceQuery = queryOptions({ queryKey: ['workspace'], queryFn: () => get<Workspace>('/workspace') })
export const changeWorkspace = (workspace: Kept<Workspace>, change: Partial<Workspace>) =>
  patch<Workspace>('/workspace', change, etagOf(workspace))

export const membersQuery = queryOptions({
  queryKey: ['members'],
  queryFn: async () => rowsOf(await get<Page<Member>>('/members')),
})
export const changeMember = (userId: string, role: Role) => patch(`/members/${userId}`, { role })
export const removeMember = (userId: string) => remove(`/members/${userId}`)

export const invitationsQuery = queryOptions({
  queryKey: ['invitations'],
  queryFn: async () => rowsOf(await get<Page<Invitation>>('/invitations')),
})
export const invite = (body: { email: string; role: string }) => post<Invitation>('/invitations', body)
export const withdrawInvitation = (id: string) => remove(`/invitations/${id}`)
export const resendInvitation = (id: string) => post(`/invitations/${id}/resend`)

export const apiKeysQuery = queryOptions({
  queryKey: ['api-keys'],
  queryFn: async () => rowsOf(await get<Page<ApiKey>>('/api-keys')),
})
export const createApiKey = (body: { name: string; role: string; expires_at?: string }) =>
  post<ApiKey>('/api-keys', body)
export const revokeApiKey = (id: string) => remove(`/api-keys/${id}`)

export const sessionsQuery = queryOptions({
  queryKey: ['sessions'],
  queryFn: async () => rowsOf(await get<Page<OwnSession>>('/sessions')),
})
export const endSession = (id: string) => remove(`/sessions/${id}`)
export const endAllSessions = () => remove('/sessions')

const rowsOf = <T>(page: Page<T>): T[] => page.data
