// The places of the application, for the side bar and the palette alike.
import {
  Contact,
  FileText,
  Inbox,
  LayoutDashboard,
  List,
  type LucideIcon,
  Megaphone,
  Settings,
  Tag,
  Upload,
} from 'lucide-react'
import { paths } from '../paths.ts'

export type Place = {
  id: 'dashboard' | 'contacts' | 'lists' | 'tags' | 'import' | 'campaigns' | 'templates' | 'sandbox' | 'settings'
  href: string
  icon: LucideIcon
  /** The second key after G, as Gmail has taught people. */
  key: string
}
export type PlaceGroup = { id: 'overview' | 'people' | 'outreach' | 'workspace'; places: Place[] }

export const placeGroups: PlaceGroup[] = [
  { id: 'overview', places: [{ id: 'dashboard', href: paths.dashboard(), icon: LayoutDashboard, key: 'd' }] },
  {
    id: 'people',
    places: [
      { id: 'contacts', href: paths.contacts(), icon: Contact, key: 'c' },
      { id: 'lists', href: paths.lists(), icon: List, key: 'l' },
      { id: 'tags', href: paths.tags(), icon: Tag, key: 't' },
      { id: 'import', href: paths.importContacts(), icon: Upload, key: 'i' },
    ],
  },
  {
    id: 'outreach',
    places: [
      { id: 'campaigns', href: paths.campaigns(), icon: Megaphone, key: 'm' },
      { id: 'templates', href: paths.templates(), icon: FileText, key: 'e' },
      { id: 'sandbox', href: paths.sandbox(), icon: Inbox, key: 'b' },
    ],
  },
  { id: 'workspace', places: [{ id: 'settings', href: paths.profile(), icon: Settings, key: 's' }] },
]

export const places = placeGroups.flatMap((group) => group.places)

/** The place that an address belongs to: the longest one that begins it. */
export function placeOf(pathname: string): Place['id'] | undefined {
  if (pathname.startsWith('/settings')) return 'settings'
  if (pathname.startsWith(paths.imports())) return 'import'
  return places
    .filter(({ href }) => pathname === href || (href !== '/' && pathname.startsWith(`${href}/`)))
    .sort((a, b) => b.href.length - a.href.length)[0]?.id
}
