// The whole user interface at a glance. Each page is loaded when it is first visited.
import { createRootRoute, createRoute, createRouter, lazyRouteComponent, redirect } from '@tanstack/react-router'
import type { QueryClient } from '@tanstack/react-query'
import { ApiProblem } from './api/client.ts'
import { sessionQuery, setupQuery } from './api/session.ts'
import { speak } from './i18n/i18n.ts'
import { paths } from './paths.ts'
import { Root } from './shell/root.tsx'
import { Lost, PageFailed } from './shell/lost.tsx'

export function makeRouter(queries: QueryClient) {
  const root = createRootRoute({ component: Root, notFoundComponent: Lost, errorComponent: PageFailed })

  const signedOut = createRoute({
    getParentRoute: () => root,
    id: 'signed-out',
    component: lazyRouteComponent(() => import('./accounts/door.tsx'), 'Door'),
  })
  const outside = (path: string, load: () => Promise<unknown>, name: string) => page(signedOut, path, load, name)

  const signedIn = createRoute({
    getParentRoute: () => root,
    id: 'signed-in',
    beforeLoad: ({ location }) => requireSession(queries, location.href),
    component: lazyRouteComponent(() => import('./shell/shell.tsx'), 'Shell'),
  })
  const inside = (path: string, load: () => Promise<unknown>, name: string) => page(signedIn, path, load, name)

  const settings = createRoute({
    getParentRoute: () => signedIn,
    path: '/settings',
    component: lazyRouteComponent(() => import('./settings/settings-page.tsx'), 'SettingsPage'),
  })
  const setting = (path: string, load: () => Promise<unknown>, name: string) => page(settings, path, load, name)
  const moved = (path: string, to: string) =>
    createRoute({
      getParentRoute: () => signedIn,
      path,
      beforeLoad: () => {
        throw redirect({ href: to, replace: true })
      },
    })

  return createRouter({
    defaultPreload: false,
    scrollRestoration: true,
    parseSearch: (text) => Object.fromEntries(new URLSearchParams(text)),
    stringifySearch: (search) => {
      const text = new URLSearchParams(search as Record<string, string>).toString()
      return text ? `?${text}` : ''
    },
    routeTree: root.addChildren([
      signedOut.addChildren([
        outside('/setup', () => import('./accounts/setup-page.tsx'), 'SetupPage'),
        outside('/sign-in', () => import('./accounts/sign-in-page.tsx'), 'SignInPage'),
        outside('/forgot-password', () => import('./accounts/forgot-password-page.tsx'), 'ForgotPasswordPage'),
        outside('/reset-password', () => import('./accounts/reset-password-page.tsx'), 'ResetPasswordPage'),
        outside('/invitation', () => import('./accounts/invitation-page.tsx'), 'InvitationPage'),
        outside('/confirm', () => import('./accounts/confirm-page.tsx'), 'ConfirmPage'),
      ]),
      signedIn.addChildren([
        inside('/', () => import('./dashboard/dashboard-page.tsx'), 'DashboardPage'),
        inside('/contacts', () => import('./contacts/contacts-page.tsx'), 'ContactsPage'),
        inside('/contacts/list', () => import('./contacts/contacts-page.tsx'), 'ContactsPage'),
        inside('/contacts/new', () => import('./contacts/new-contact-page.tsx'), 'NewContactPage'),
        inside('/contacts/groups', () => import('./contacts/lists-page.tsx'), 'ListsPage'),
        inside('/contacts/groups/new', () => import('./contacts/lists-page.tsx'), 'ListsPage'),
        inside('/contacts/groups/$id', () => import('./contacts/list-page.tsx'), 'ListPage'),
        inside('/contacts/groups/$id/edit', () => import('./contacts/list-page.tsx'), 'ListPage'),
        inside('/contacts/tags', () => import('./contacts/tags-page.tsx'), 'TagsPage'),
        inside('/contacts/import', () => import('./contacts/import-page.tsx'), 'ImportPage'),
        inside('/contacts/imports', () => import('./contacts/imports-page.tsx'), 'ImportsPage'),
        inside('/contacts/$id', () => import('./contacts/contact-page.tsx'), 'ContactPage'),
        inside('/contacts/$id/interactions/add', () => import('./contacts/contact-page.tsx'), 'ContactPage'),
        inside('/contacts/$id/edit', () => import('./contacts/edit-contact-page.tsx'), 'EditContactPage'),
        inside('/campaigns', () => import('./communication/campaigns-page.tsx'), 'CampaignsPage'),
        inside('/campaigns/new', () => import('./communication/new-campaign-page.tsx'), 'NewCampaignPage'),
        inside('/campaigns/$id', () => import('./communication/campaign-page.tsx'), 'CampaignPage'),
        inside('/campaigns/$id/edit', () => import('./communication/composer-page.tsx'), 'ComposerPage'),
        inside('/templates', () => import('./communication/templates-page.tsx'), 'TemplatesPage'),
        inside('/templates/$id', () => import('./communication/template-page.tsx'), 'TemplatePage'),
        inside('/sandbox', () => import('./communication/sandbox-page.tsx'), 'SandboxPage'),
        inside('/sandbox/$id', () => import('./communication/sandbox-message-page.tsx'), 'SandboxMessagePage'),
        settings.addChildren([
          setting('/profile', () => import('./settings/profile-page.tsx'), 'ProfilePage'),
          setting('/security', () => import('./settings/security-page.tsx'), 'SecurityPage'),
          setting('/workspace', () => import('./settings/workspace-page.tsx'), 'WorkspacePage'),
          setting('/members', () => import('./settings/members-page.tsx'), 'MembersPage'),
          setting('/api-keys', () => import('./settings/api-keys-page.tsx'), 'ApiKeysPage'),
        ]),
        moved('/lists', paths.lists()),
        moved('/tags', paths.tags()),
      ]),
    ]),
  })
}

type Parent = ReturnType<typeof createRoute>

function page(parent: unknown, path: string, load: () => Promise<unknown>, name: string) {
  return createRoute({
    getParentRoute: () => parent as Parent,
    path,
    component: lazyRouteComponent(load as () => Promise<Record<string, () => React.ReactNode>>, name),
  })
}

/** Lets in who is signed in; sends others to the set-up of a new installation or to the sign-in page, keeping the place. */
async function requireSession(queries: QueryClient, place: string): Promise<void> {
  try {
    const session = await queries.ensureQueryData(sessionQuery)
    await speak(session.user.language)
  } catch (error) {
    if (!(error instanceof ApiProblem) || error.status !== 401) throw error
    const { needed } = await queries.fetchQuery(setupQuery)
    throw redirect({ href: needed ? paths.setup() : paths.signIn(place === '/' ? undefined : place) })
  }
}
