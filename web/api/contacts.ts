// Queries and changes of contacts, their lists and their tags. Each change names the caches that it makes stale.
import { queryOptions, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { get, patch, post, put, remove, type Query } from './client.ts'
import type { Consent, Contact, ContactStats, Interaction, Job, Kept, List, Note, Page, Tag } from './types.ts'

export const statsQuery = queryOptions({
  queryKey: ['contacts', 'stats'],
  queryFn: () => get<ContactStats>('/contacts/stats'),
})
export const contactQuery = (id: string) =>
  queryOptions({
    queryKey: ['contacts', id],
    queryFn: () => get<Contact>(`/contacts/${id}`, { query: { deleted: true } }),
  })
export const consentsQuery = (id: string) =>
  queryOptions({
    queryKey: ['contacts', id, 'consents'],
    queryFn: () => get<Page<Consent>>(`/contacts/${id}/consents`),
  })
export const notesQuery = (id: string) =>
  queryOptions({ queryKey: ['contacts', id, 'notes'], queryFn: () => get<Page<Note>>(`/contacts/${id}/notes`) })
export const recentInteractionsQuery = queryOptions({
  queryKey: ['contacts', 'interactions'],
  queryFn: () => get<Page<Interaction>>('/contacts/interactions', { query: { limit: 8 } }),
})
export const contactSearchQuery = (search: string, limit = 8) =>
  queryOptions({
    queryKey: ['contacts', 'search', search, limit],
    queryFn: ({ signal }) => get<Page<Contact>>('/contacts', { query: { search, limit }, signal }),
  })

export const allListsQuery = queryOptions({
  queryKey: ['lists', 'all'],
  queryFn: async () => (await get<Page<List>>('/lists', { query: { limit: 200 } })).data,
})
export const listQuery = (id: string) =>
  queryOptions({ queryKey: ['lists', id], queryFn: () => get<List>(`/lists/${id}`) })
export const allTagsQuery = queryOptions({
  queryKey: ['tags', 'all'],
  queryFn: async () => (await get<Page<Tag>>('/tags', { query: { limit: 200 } })).data,
})

/** Makes everything stale that shows contacts, for whatever changed one. */
export function useContactsChanged(): () => Promise<void> {
  const queries = useQueryClient()
  return async () => {
    await Promise.all(['contacts', 'lists', 'tags'].map((key) => queries.invalidateQueries({ queryKey: [key] })))
  }
}

/** The ETag that a change of this record must carry: the one it came with, or the one its version spells. */
export function etagOf(record: Kept<{ version?: number }>): { etag?: string } {
  if (record.etag) return { etag: record.etag }
  return record.version === undefined ? {} : { etag: `"v${record.version}"` }
}

/** What may be written of a contact; its lists by their ids. */
export type ContactFields = Partial<Omit<Contact, 'id' | 'lists' | 'tags' | 'is_active'>> & {
  lists?: string[]
  tags?: string[] | null
  is_active?: boolean | null
}

export const createContact = (fields: ContactFields) => post<Contact>('/contacts', fields)
export const changeContact = (contact: Kept<Contact>, fields: ContactFields) =>
  patch<Contact>(`/contacts/${contact.id}`, fields, etagOf(contact))
export const deleteContact = (contact: Kept<Contact>) => remove(`/contacts/${contact.id}`, etagOf(contact))
export const restoreContact = (id: string) => post<Contact>(`/contacts/${id}/restore`)
export const addToList = (listId: string, contactIds: string[]) =>
  post(`/lists/${listId}/contacts`, { contact_ids: contactIds })
export const removeFromList = (listId: string, contactIds: string[]) =>
  remove(`/lists/${listId}/contacts`, { body: { contact_ids: contactIds } })

export type ListFields = { name: string; description: string; color: string }
export const createList = (fields: ListFields) => post<List>('/lists', fields)
export const changeList = (list: Kept<List>, fields: Partial<ListFields>) =>
  put<List>(`/lists/${list.id}`, fields, etagOf(list))
export const deleteList = (list: Kept<List>) => remove(`/lists/${list.id}`, etagOf(list))
export const restoreList = (id: string) => post<List>(`/lists/${id}/restore`)

export type TagFields = { name: string; color: string }
export const createTag = (fields: TagFields) => post<Tag>('/tags', fields)
export const changeTag = (tag: Kept<Tag>, fields: TagFields) => put<Tag>(`/tags/${tag.id}`, fields, etagOf(tag))
export const deleteTag = (tag: Kept<Tag>) => remove(`/tags/${tag.id}`, etagOf(tag))
export const mergeTags = (into: Tag, from: Tag) => post<Tag>(`/tags/${from.id}/merge`, { target_tag_id: into.id })

export type BulkAction =
  | 'add_tag'
  | 'remove_tag'
  | 'add_to_list'
  | 'remove_from_list'
  | 'subscribe'
  | 'unsubscribe'
  | 'delete'
  | 'restore'
export type BulkRequest = {
  action: BulkAction
  contact_ids?: string[]
  filter?: Query
  params?: Record<string, unknown>
}
export const runBulkAction = (request: BulkRequest) => post<Job>('/contacts/bulk-action', request)

/** Adds to a contact's timeline, its notes or its consents, and shows it at once. */
export function useContactAddition<T>(send: (value: T) => Promise<unknown>) {
  const changed = useContactsChanged()
  return useMutation({ mutationFn: send, onSuccess: changed })
}

export function useContact(id: string) {
  return useQuery(contactQuery(id))
}
