import { queryOptions } from '@tanstack/react-query'
import { get, post } from './client.ts'
import { isLive } from './live.ts'
import type { Import, ImportPreview, ImportRequest, Job } from './types.ts'

export const importIsRunning = (status: Import['status'] | undefined) => status === 'queued' || status === 'running'

export const importQuery = (id: string) =>
  queryOptions({
    queryKey: ['imports', id],
    queryFn: () => get<Import>(`/contacts/imports/${id}`),
    refetchInterval: ({ state }) => (importIsRunning(state.data?.status) ? (isLive() ? 3_000 : 1_000) : false),
  })

export type Reading = { encoding?: string; delimiter?: string; has_header?: boolean }

export function uploadFile(file: File, reading: Reading = {}): Promise<ImportPreview> {
  const form = new FormData()
  for (const [name, value] of Object.entries(reading)) form.append(name, String(value))
  form.append('file', file)
  return post<ImportPreview>('/contacts/import/preview', form)
}

type Started = Partial<Job> & { import_id?: string; result?: { import_id?: string } | null }

/** Starts an import, or counts it without writing anything (`dry_run`), and tells its id. */
export async function startImport(request: ImportRequest): Promise<string> {
  const started = await post<Started>('/contacts/import', request)
  const id = started.import_id ?? started.result?.import_id ?? started.id
  if (!id) throw new Error('The server named no import')
  return id
}

export const cancelImport = (id: string) => post(`/contacts/imports/${id}/cancel`)
export const undoImport = (id: string) => post(`/contacts/imports/${id}/undo`)
