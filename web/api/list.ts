// Lists come in pages behind a cursor; this hook keeps them together and says which of the four faces a list shows.
import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query'
import { get, type Query } from './client.ts'
import type { Page, Total } from './types.ts'

export type ListState<T> = {
  rows: T[]
  total: Total | undefined
  isLoading: boolean
  isStale: boolean
  error: Error | null
  retry: () => void
  hasMore: boolean
  isLoadingMore: boolean
  loadMore: () => void
}

/** `key` names the list for invalidation; the query is part of the cache key, so each filter has its own pages. */
export function useList<T>(
  key: readonly string[],
  path: string,
  query: Query = {},
  refetchInterval?: number,
): ListState<T> {
  const result = useInfiniteQuery({
    queryKey: [...key, 'list', query],
    queryFn: ({ pageParam, signal }) => get<Page<T>>(path, { query: { ...query, cursor: pageParam }, signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    placeholderData: keepPreviousData,
    ...(refetchInterval ? { refetchInterval } : {}),
  })
  return {
    rows: result.data?.pages.flatMap((page) => page.data) ?? [],
    total: result.data?.pages[0]?.total,
    isLoading: result.isPending,
    isStale: result.isPlaceholderData,
    error: result.data ? null : result.error,
    retry: () => void result.refetch(),
    hasMore: result.hasNextPage,
    isLoadingMore: result.isFetchingNextPage,
    loadMore: () => void result.fetchNextPage(),
  }
}
