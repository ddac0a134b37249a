// Everything by name: places, actions, and any of the contacts, searched on the server as one types.
import { useMantineColorScheme } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { Spotlight } from '@mantine/spotlight'
import { useQuery } from '@tanstack/react-query'
import {
  FilePlus2,
  Keyboard,
  type LucideIcon,
  Megaphone,
  Search,
  SunMoon,
  Upload,
  UserPlus,
  UserRound,
} from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { contactSearchQuery } from '../api/contacts.ts'
import { useAbilities } from '../api/session.ts'
import { paths } from '../paths.ts'
import { places } from './navigation.ts'

type PaletteProps = { follow: (href: string) => void; showHelp: () => void }
type Entry = { id: string; label: string; icon: LucideIcon; run: () => void; note?: string }

export function Palette({ follow, showHelp }: PaletteProps) {
  const { t } = useTranslation()
  const [text, setText] = useState('')
  const [search] = useDebouncedValue(text.trim(), 200)
  const { data } = useQuery({ ...contactSearchQuery(search, 6), enabled: search.length > 1 })
  const matching = (entry: Entry) => plain(entry.label).includes(plain(text.trim()))
  const actions = useActions({ follow, showHelp }).filter(matching)
  const going = places
    .map(({ id, href, icon }): Entry => ({ id, label: t(`nav.${id}`), icon, run: () => follow(href) }))
    .filter(matching)
  const people = search.length > 1 ? (data?.data ?? []) : []
  const contacts = people.map((contact): Entry => ({
    id: contact.id,
    label: contact.full_name || contact.email,
    note: contact.full_name ? contact.email : undefined,
    icon: UserRound,
    run: () => follow(paths.contact(contact.id)),
  }))
  const groups: [string, Entry[]][] = [
    [t('nav.contacts'), contacts],
    [t('palette.actions'), actions],
    [t('palette.places'), going],
  ]
  const isEmpty = groups.every(([, entries]) => entries.length === 0)
  return (
    <Spotlight.Root query={text} onQueryChange={setText} shortcut="mod+K" scrollable maxHeight="min(26rem, 60vh)">
      <Spotlight.Search
        placeholder={t('palette.placeholder')}
        aria-label={t('palette.placeholder')}
        leftSection={<Search size={18} aria-hidden />}
      />
      <Spotlight.ActionsList>
        {groups.map(([label, entries]) =>
          entries.length === 0 ? null : (
            <Spotlight.ActionsGroup key={label} label={label}>
              {entries.map(({ id, label: name, icon: Icon, run, note }) => (
                <Spotlight.Action
                  key={id}
                  label={name}
                  {...(note ? { description: note } : {})}
                  leftSection={<Icon size={18} strokeWidth={1.8} aria-hidden />}
                  onClick={run}
                />
              ))}
            </Spotlight.ActionsGroup>
          ),
        )}
        {isEmpty && <Spotlight.Empty>{t('palette.nothing')}</Spotlight.Empty>}
      </Spotlight.ActionsList>
    </Spotlight.Root>
  )
}

function useActions({ follow, showHelp }: PaletteProps): Entry[] {
  const { t } = useTranslation()
  const { write, campaigns } = useAbilities()
  const { toggleColorScheme } = useMantineColorScheme()
  const writing: Entry[] = [
    { id: 'new-contact', label: t('contacts.new'), icon: UserPlus, run: () => follow(paths.newContact()) },
    { id: 'import', label: t('contacts.import'), icon: Upload, run: () => follow(paths.importContacts()) },
  ]
  const sending: Entry[] = [
    { id: 'new-campaign', label: t('campaigns.new'), icon: Megaphone, run: () => follow(paths.newCampaign()) },
    { id: 'new-template', label: t('templates.new'), icon: FilePlus2, run: () => follow(paths.newTemplate()) },
  ]
  return [
    ...(write ? writing : []),
    ...(campaigns ? sending : []),
    { id: 'theme', label: t('palette.toggle_theme'), icon: SunMoon, run: toggleColorScheme },
    { id: 'keys', label: t('keys.title'), icon: Keyboard, run: showHelp },
  ]
}

/** Without case and accents, so that "modele" finds "Modèles". */
const plain = (text: string) => text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase()
