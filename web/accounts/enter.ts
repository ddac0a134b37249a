// What follows every way of getting in: the session is known, its language spoken, and one goes where one wanted to.
import { useQueryClient } from '@tanstack/react-query'
import { sessionQuery } from '../api/session.ts'
import type { Kept, Session } from '../api/types.ts'
import { paths } from '../paths.ts'
import { useFollow } from '../shell/link-navigation.ts'

export function useEnter(): (session: Kept<Session>, next?: string) => void {
  const queries = useQueryClient()
  const follow = useFollow()
  return (session, next) => {
    queries.clear()
    queries.setQueryData(sessionQuery.queryKey, session)
    follow(isOwnPlace(next) ? next : paths.dashboard(), 'replace')
  }
}

/** Only a path of ours: `//evil.example` and `https:` must not follow a sign-in. */
const isOwnPlace = (place: string | undefined): place is string => place !== undefined && /^\/(?![/\\])/.test(place)
