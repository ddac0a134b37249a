// Jobs run on the server; a page watches one by its id, helped by the live events and otherwise by asking.
import { queryOptions } from '@tanstack/react-query'
import { get, post } from './client.ts'
import { isLive } from './live.ts'
import type { Job } from './types.ts'

const settled = new Set(['succeeded', 'failed', 'canceled'])

export const jobQuery = (id: string) =>
  queryOptions({
    queryKey: ['jobs', id],
    queryFn: () => get<Job>(`/jobs/${id}`),
    refetchInterval: ({ state }) => (state.data && settled.has(state.data.status) ? false : isLive() ? 5_000 : 1_000),
  })

/** Waits for a job that is quick as a rule; the page stays usable meanwhile. */
export async function finishJob(id: string): Promise<Job> {
  for (let wait = 150; ; wait = Math.min(wait * 1.5, 2_000)) {
    const job = await get<Job>(`/jobs/${id}`)
    if (settled.has(job.status)) return job
    await new Promise((resolve) => setTimeout(resolve, wait))
  }
}

export const cancelJob = (id: string) => post<Job>(`/jobs/${id}/cancel`)
