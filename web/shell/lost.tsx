import { Button, Center } from '@mantine/core'
import { Compass } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { paths } from '../paths.ts'
import { Empty, Failed } from '../ui/states.tsx'

export function Lost() {
  const { t } = useTranslation()
  return (
    <Center mih="60vh" component="main">
      <Empty
        icon={Compass}
        order={1}
        title={t('shell.lost_title')}
        action={
          <Button component="a" href={paths.dashboard()}>
            {t('shell.to_dashboard')}
          </Button>
        }
      >
        {t('shell.lost_text')}
      </Empty>
    </Center>
  )
}

/** The last resort, when a page breaks or its code cannot be loaded after an update. */
export function PageFailed({ error }: { error: unknown }) {
  return (
    <Center mih="60vh" component="main">
      <Failed error={error} retry={() => window.location.reload()} />
    </Center>
  )
}
