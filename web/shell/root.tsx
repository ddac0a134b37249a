import { DatesProvider } from '@mantine/dates'
import { Outlet } from '@tanstack/react-router'
import 'dayjs/locale/fr'
import 'dayjs/locale/ro'
import { useTranslation } from 'react-i18next'
import { useLinkNavigation } from './link-navigation.ts'

export function Root() {
  useLinkNavigation()
  const { i18n } = useTranslation()
  return (
    <DatesProvider settings={{ locale: i18n.language, firstDayOfWeek: 1 }}>
      <Outlet />
    </DatesProvider>
  )
}
