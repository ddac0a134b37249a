// Queries and changes of templates, campaigns and the sandbox inbox.
import { queryOptions } from '@tanstack/react-query'
import { get, post, put, remove } from './client.ts'
import { etagOf } from './contacts.ts'
import { isLive } from './live.ts'
import type {
  Audience,
  Category,
  AudienceSize,
  Campaign,
  CampaignLink,
  Channel,
  Kept,
  Page,
  Rendered,
  SandboxMessage,
  Template,
} from './types.ts'

const root = '/communication'

export const allTemplatesQuery = queryOptions({
  queryKey: ['templates', 'all'],
  queryFn: async () => (await get<Page<Template>>(`${root}/templates`, { query: { limit: 200 } })).data,
})
export const templateQuery = (id: string) =>
  queryOptions({ queryKey: ['templates', id], queryFn: () => get<Template>(`${root}/templates/${id}`) })

export type TemplateFields = Pick<Template, 'name' | 'subject' | 'body_html' | 'body_text'>
export const createTemplate = (fields: TemplateFields) => post<Template>(`${root}/templates`, fields)
export const changeTemplate = (template: Kept<Template>, fields: TemplateFields) =>
  put<Template>(`${root}/templates/${template.id}`, fields, etagOf(template))
export const deleteTemplate = (template: Kept<Template>) => remove(`${root}/templates/${template.id}`, etagOf(template))
export const restoreTemplate = (id: string) => post<Template>(`${root}/templates/${id}/restore`)
export const duplicateTemplate = (id: string) => post<Template>(`${root}/templates/${id}/duplicate`)

export type Draft = { subject: string; body_html: string; body_text?: string; contact_id?: string }
export const previewQuery = (draft: Draft) =>
  queryOptions({
    queryKey: ['templates', 'preview', draft],
    queryFn: ({ signal }) => post<Rendered>(`${root}/templates/preview`, draft, { signal }),
    placeholderData: (previous) => previous,
    staleTime: 60_000,
    retry: false,
  })

export const isMoving = (status: Campaign['status'] | undefined) => status === 'active' || status === 'scheduled'

export const campaignQuery = (id: string) =>
  queryOptions({
    queryKey: ['campaigns', id],
    queryFn: () => get<Campaign>(`${root}/campaigns/${id}`),
    refetchInterval: ({ state }) => (isMoving(state.data?.status) ? (isLive() ? 10_000 : 2_000) : false),
  })
export const recentCampaignsQuery = queryOptions({
  queryKey: ['campaigns', 'recent'],
  queryFn: () => get<Page<Campaign>>(`${root}/campaigns`, { query: { limit: 5 } }),
  refetchInterval: ({ state }) => (state.data?.data.some(({ status }) => status === 'active') ? 5_000 : false),
})
export const campaignLinksQuery = (id: string) =>
  queryOptions({
    queryKey: ['campaigns', id, 'links'],
    queryFn: () => get<Page<CampaignLink>>(`${root}/campaigns/${id}/links`),
  })

export type CampaignFields = { name: string; category?: Category; target_audience?: Audience; channels?: Channel[] }
export const createCampaign = (fields: CampaignFields) => post<Campaign>(`${root}/campaigns`, fields)
export const changeCampaign = (campaign: Kept<Campaign>, fields: Partial<CampaignFields>) =>
  put<Campaign>(`${root}/campaigns/${campaign.id}`, fields, etagOf(campaign))
export const deleteCampaign = (campaign: Kept<Campaign>) => remove(`${root}/campaigns/${campaign.id}`, etagOf(campaign))

export const restoreCampaign = (id: string) => post<Campaign>(`${root}/campaigns/${id}/restore`)

export type CampaignMove = 'launch' | 'pause' | 'resume' | 'cancel' | 'duplicate'
export const moveCampaign = (campaign: Kept<Campaign>, move: CampaignMove, body?: Record<string, unknown>) =>
  post<Campaign>(`${root}/campaigns/${campaign.id}/${move}`, body, etagOf(campaign))
export const sendToRest = (campaign: Kept<Campaign>) =>
  post(`${root}/campaigns/${campaign.id}/send-to-rest`, undefined, etagOf(campaign))
export const sendTest = (id: string, to: string[]) => post(`${root}/campaigns/${id}/test`, { to })

export const audienceQuery = (audience: Audience, category: Category) =>
  queryOptions({
    queryKey: ['campaigns', 'audience', audience, category],
    queryFn: ({ signal }) =>
      post<AudienceSize>(`${root}/campaigns/audience`, { target_audience: audience, category }, { signal }),
    placeholderData: (previous) => previous,
  })
export const campaignPreviewQuery = (channel: Channel, contactId: string | null) =>
  queryOptions({
    queryKey: ['campaigns', 'preview', channel, contactId],
    queryFn: ({ signal }) =>
      post<Rendered>(
        `${root}/campaigns/preview`,
        { channel, ...(contactId ? { contact_id: contactId } : {}) },
        { signal },
      ),
    placeholderData: (previous) => previous,
    retry: false,
  })

export const sandboxMessageQuery = (id: string) =>
  queryOptions({ queryKey: ['sandbox', id], queryFn: () => get<SandboxMessage>(`${root}/sandbox/messages/${id}`) })
export const emptySandbox = () => remove(`${root}/sandbox/messages`)
