// What stands around every page once signed in: navigation, search, the user's own menu.
import { ActionIcon, AppShell, Burger, Group, Kbd, Tooltip, UnstyledButton } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { spotlight } from '@mantine/spotlight'
import { useQueryClient } from '@tanstack/react-query'
import { Outlet } from '@tanstack/react-router'
import { Keyboard, Search } from 'lucide-react'
import { useEffect } from 'react'
import { useTranslation } from 'react-i18next'
import { listenLive } from '../api/live.ts'
import { paths } from '../paths.ts'
import { Wordmark } from '../ui/logo.tsx'
import { KeyboardHelp } from './keyboard-help.tsx'
import { useFollow } from './link-navigation.ts'
import { Palette } from './palette.tsx'
import { useShortcuts } from './shortcuts.ts'
import { SideBar } from './side-bar.tsx'
import { UserMenu } from './user-menu.tsx'
import { WorkspaceMenu } from './workspace-menu.tsx'

export function Shell() {
  const { t } = useTranslation()
  const [menuOpened, menu] = useDisclosure(false)
  const [helpOpened, help] = useDisclosure(false)
  const follow = useFollow()
  const queries = useQueryClient()
  useEffect(() => listenLive(queries), [queries])
  useShortcuts(follow, help.open)
  return (
    <AppShell
      header={{ height: 56 }}
      navbar={{ width: 232, breakpoint: 'sm', collapsed: { mobile: !menuOpened } }}
      padding={0}
      withBorder={false}
    >
      <a href="#content" className="skip-link">
        {t('shell.skip')}
      </a>
      <AppShell.Header className="top">
        <Group gap="sm" wrap="nowrap" className="top-brand">
          <Burger
            opened={menuOpened}
            onClick={menu.toggle}
            hiddenFrom="sm"
            size="sm"
            aria-label={menuOpened ? t('shell.close_menu') : t('shell.open_menu')}
          />
          <a href={paths.dashboard()} className="plain-link" aria-label={t('shell.home')}>
            <Wordmark />
          </a>
        </Group>
        <UnstyledButton className="top-search" onClick={spotlight.open} aria-haspopup="dialog">
          <Search size={16} aria-hidden />
          <span className="top-search-text">{t('palette.short')}</span>
          <Kbd size="xs" className="top-search-key" aria-hidden>
            Ctrl K
          </Kbd>
        </UnstyledButton>
        <Group gap="xs" wrap="nowrap">
          <Tooltip label={t('keys.title')}>
            <ActionIcon
              variant="subtle"
              color="gray"
              size="lg"
              visibleFrom="sm"
              onClick={help.open}
              aria-label={t('keys.title')}
            >
              <Keyboard size={19} strokeWidth={1.8} aria-hidden />
            </ActionIcon>
          </Tooltip>
          <UserMenu />
        </Group>
      </AppShell.Header>
      <AppShell.Navbar className="navbar">
        <WorkspaceMenu />
        <SideBar onNavigate={menu.close} />
      </AppShell.Navbar>
      <AppShell.Main className="main" id="content" tabIndex={-1}>
        <Outlet />
      </AppShell.Main>
      <Palette follow={follow} showHelp={help.open} />
      <KeyboardHelp opened={helpOpened} onClose={help.close} />
    </AppShell>
  )
}
