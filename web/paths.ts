// Every address of the web application, as a typed function. Nothing else in web/ spells out a path.

type Query = Record<string, string | undefined>

function withQuery(path: string, query: Query = {}): string {
  const given = Object.entries(query).filter((entry): entry is [string, string] => Boolean(entry[1]))
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given).toString()}`
}

export const paths = {
  dashboard: () => '/',
  setup: () => '/setup',
  signIn: (next?: string) => withQuery('/sign-in', { next }),
  forgotPassword: () => '/forgot-password',
  resetPassword: () => '/reset-password',
  invitation: () => '/invitation',
  confirm: () => '/confirm',

  contacts: (query?: Query) => withQuery('/contacts', query),
  newContact: () => '/contacts/new',
  contact: (id: string) => `/contacts/${id}`,
  editContact: (id: string) => `/contacts/${id}/edit`,
  lists: () => '/contacts/groups',
  newList: () => '/contacts/groups/new',
  list: (id: string) => `/contacts/groups/${id}`,
  editList: (id: string) => `/contacts/groups/${id}/edit`,
  tags: () => '/contacts/tags',
  importContacts: (query?: Query) => withQuery('/contacts/import', query),
  imports: () => '/contacts/imports',

  campaigns: (query?: Query) => withQuery('/campaigns', query),
  newCampaign: () => '/campaigns/new',
  campaign: (id: string, query?: Query) => withQuery(`/campaigns/${id}`, query),
  editCampaign: (id: string, step?: string) => withQuery(`/campaigns/${id}/edit`, { step }),
  templates: () => '/templates',
  newTemplate: () => '/templates/new',
  template: (id: string) => `/templates/${id}`,
  sandbox: () => '/sandbox',
  sandboxMessage: (id: string) => `/sandbox/${id}`,

  settings: () => '/settings',
  profile: () => '/settings/profile',
  security: () => '/settings/security',
  workspace: () => '/settings/workspace',
  members: () => '/settings/members',
  apiKeys: () => '/settings/api-keys',
}
