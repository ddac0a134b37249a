import { Text } from '@mantine/core'
import { useLocation } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { placeGroups, placeOf } from './navigation.ts'

export function SideBar({ onNavigate }: { onNavigate: () => void }) {
  const { t } = useTranslation()
  const here = placeOf(useLocation({ select: ({ pathname }) => pathname }))
  return (
    <nav aria-label={t('shell.main_navigation')} className="side">
      {placeGroups.map((group) => (
        <div key={group.id} className="side-group">
          {group.id !== 'overview' && (
            <Text fz="xs" fw={600} c="dimmed" className="side-heading" id={`nav-${group.id}`}>
              {t(`nav.group_${group.id}`)}
            </Text>
          )}
          <ul aria-labelledby={group.id === 'overview' ? undefined : `nav-${group.id}`}>
            {group.places.map(({ id, href, icon: Icon }) => (
              <li key={id}>
                <a
                  href={href}
                  className="side-link"
                  aria-current={here === id ? 'page' : undefined}
                  onClick={onNavigate}
                >
                  <Icon size={18} strokeWidth={1.8} aria-hidden />
                  {t(`nav.${id}`)}
                </a>
              </li>
            ))}
          </ul>
        </div>
      ))}
    </nav>
  )
}
