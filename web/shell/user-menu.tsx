import { Avatar, type MantineColorScheme, Menu, Text, UnstyledButton, useMantineColorScheme } from '@mantine/core'
import { Languages, LogOut, MonitorSmartphone, Moon, Sun, UserRound } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { signOut, useProfileChange, useSession } from '../api/session.ts'
import type { Language } from '../api/types.ts'
import { languages, speak } from '../i18n/i18n.ts'
import { paths } from '../paths.ts'

const schemes = [
  { value: 'light', icon: Sun },
  { value: 'dark', icon: Moon },
  { value: 'auto', icon: MonitorSmartphone },
] as const satisfies { value: MantineColorScheme; icon: typeof Sun }[]

export function UserMenu() {
  const { t, i18n } = useTranslation()
  const { user } = useSession()
  const { colorScheme, setColorScheme } = useMantineColorScheme()
  const profile = useProfileChange()
  const chooseLanguage = (language: Language) => {
    void speak(language)
    profile.mutate({ language })
  }
  const chooseScheme = (theme: MantineColorScheme) => {
    setColorScheme(theme)
    profile.mutate({ theme })
  }
  return (
    <Menu width={250} position="bottom-end">
      <Menu.Target>
        <UnstyledButton className="user-button">
          <span className="visually-hidden">{t('shell.user_menu', { name: user.full_name })}</span>
          <Avatar size={34} radius="xl" color="pine" variant="light" name={user.full_name} alt="" aria-hidden />
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <div className="user-who">
          <Text fw={600} fz="sm" truncate>
            {user.full_name}
          </Text>
          <Text fz="xs" c="dimmed" truncate>
            {user.email}
          </Text>
        </div>
        <Menu.Divider />
        <Menu.Item component="a" href={paths.profile()} leftSection={<UserRound size={16} aria-hidden />}>
          {t('shell.profile')}
        </Menu.Item>
        <Menu.Divider />
        <Menu.Label>{t('shell.theme')}</Menu.Label>
        {schemes.map(({ value, icon: Icon }) => (
          <Menu.Item
            key={value}
            role="menuitemradio"
            aria-checked={colorScheme === value}
            leftSection={<Icon size={16} aria-hidden />}
            data-chosen={colorScheme === value || undefined}
            onClick={() => chooseScheme(value)}
          >
            {t(`theme.${value}`)}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Label>{t('shell.language')}</Menu.Label>
        {languages.map(({ value, label }) => (
          <Menu.Item
            key={value}
            role="menuitemradio"
            aria-checked={i18n.language === value}
            leftSection={<Languages size={16} aria-hidden />}
            data-chosen={i18n.language === value || undefined}
            onClick={() => chooseLanguage(value)}
            lang={value}
          >
            {label}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Item leftSection={<LogOut size={16} aria-hidden />} onClick={() => void signOut(paths.signIn())}>
          {t('shell.sign_out')}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}
