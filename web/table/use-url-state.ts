// Filters, sorting and open tabs live in the address, so that a reload, a bookmark and the back button all keep them.
import { useRouter, useSearch } from '@tanstack/react-router'
import { useCallback } from 'react'

export type UrlState = Record<string, string | undefined>

export function useUrlState(): [UrlState, (change: UrlState, mode?: 'push' | 'replace') => void] {
  const router = useRouter()
  const search = useSearch({ strict: false }) as UrlState
  const change = useCallback(
    (values: UrlState, mode: 'push' | 'replace' = 'replace') => {
      const url = new URL(window.location.href)
      for (const [name, value] of Object.entries(values)) {
        if (value) url.searchParams.set(name, value)
        else url.searchParams.delete(name)
      }
      router.history[mode](url.pathname + url.search + url.hash)
    },
    [router],
  )
  return [search, change]
}
