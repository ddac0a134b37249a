import { Outlet, useLocation } from '@tanstack/react-router'
import { Building2, KeyRound, ShieldCheck, UserRound, Users } from 'lucide-react'
import { useEffect } from 'react'
import { useTranslation } from 'react-i18next'
import { useAbilities } from '../api/session.ts'
import { paths } from '../paths.ts'
import { useFollow } from '../shell/link-navigation.ts'

/** The sections of the settings; those of the workspace are shown to those who may change them. */
export function SettingsPage() {
  const { t } = useTranslation()
  const { admin } = useAbilities()
  const here = useLocation({ select: ({ pathname }) => pathname })
  const follow = useFollow()
  const isRoot = here.replace(/\/$/, '') === paths.settings()
  useEffect(() => {
    if (isRoot) follow(paths.profile(), 'replace')
  }, [isRoot, follow])
  const sections = [
    { href: paths.profile(), label: t('settings.profile'), icon: UserRound, shown: true },
    { href: paths.security(), label: t('settings.security'), icon: ShieldCheck, shown: true },
    { href: paths.workspace(), label: t('settings.workspace'), icon: Building2, shown: admin },
    { href: paths.members(), label: t('settings.members'), icon: Users, shown: admin },
    { href: paths.apiKeys(), label: t('settings.api_keys'), icon: KeyRound, shown: admin },
  ]
  return (
    <div className="settings">
      <nav aria-label={t('nav.settings')} className="settings-nav">
        {sections
          .filter(({ shown }) => shown)
          .map(({ href, label, icon: Icon }) => (
            <a key={href} href={href} className="side-link" aria-current={here === href ? 'page' : undefined}>
              <Icon size={17} strokeWidth={1.8} aria-hidden />
              {label}
            </a>
          ))}
      </nav>
      <Outlet />
    </div>
  )
}
