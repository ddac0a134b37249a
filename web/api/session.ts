// Who is signed in. The session query is the only place that learns it; the CSRF token is handed to the client on the way.
import { queryOptions, useMutation, useQueryClient, useSuspenseQuery } from '@tanstack/react-query'
import { get, keepCsrfToken, patch, post, put, remove } from './client.ts'
import type { Kept, Session } from './types.ts'

export const sessionQuery = queryOptions({
  queryKey: ['session'],
  queryFn: async () => keep(await get<Session>('/session', { quiet: true })),
  staleTime: Infinity,
  retry: false,
})

export const setupQuery = queryOptions({
  queryKey: ['setup'],
  queryFn: () => get<{ needed: boolean }>('/setup'),
  staleTime: 0,
  retry: false,
})

function keep(session: Kept<Session>): Kept<Session> {
  keepCsrfToken(session.csrf_token)
  return session
}

/** Inside the signed-in shell there always is a session: the route's guard has loaded it. */
export function useSession(): Kept<Session> {
  return useSuspenseQuery(sessionQuery).data
}

export type Abilities = { write: boolean; campaigns: boolean; admin: boolean }

/** What a role may do, for showing and hiding; the server decides in any case. */
export function useAbilities(): Abilities {
  const { role } = useSession()
  const admin = role === 'owner' || role === 'admin'
  return { admin, campaigns: admin || role === 'marketer', write: admin || role === 'marketer' || role === 'agent' }
}

export type Credentials = { email: string; password: string; totp?: string }
export type Setup = {
  workspace_name: string
  full_name: string
  email: string
  password: string
  language: string
  timezone: string
}

export const signIn = async (credentials: Credentials) =>
  keep(await post<Session>('/session', credentials, { quiet: true }))
export const setUp = async (setup: Setup) => keep(await post<Session>('/setup', setup, { quiet: true }))
export const acceptInvitation = async (body: { token: string; full_name?: string; password?: string; totp?: string }) =>
  keep(await post<Session>('/invitations/accept', body, { quiet: true }))
export const switchWorkspace = async (workspaceId: string) =>
  keep(await put<Session>('/session/workspace', { workspace_id: workspaceId }))

export type ProfileChange = Partial<{ full_name: string; language: string; timezone: string; theme: string }>

/** Changes the profile and refreshes the session, which shows it. */
export function useProfileChange() {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: async (change: ProfileChange) => {
      const me = await get<{ id: string }>('/me').catch(() => undefined)
      await patch('/me', change, me?.etag ? { etag: me.etag } : {})
    },
    onSuccess: () => queries.invalidateQueries({ queryKey: sessionQuery.queryKey }),
  })
}

/** Ends the session and leaves by a full load, so that nothing of it stays in memory. */
export async function signOut(signInPath: string): Promise<void> {
  await remove('/session').catch(() => undefined)
  window.location.assign(signInPath)
}
