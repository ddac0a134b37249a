import { Button, SegmentedControl, Stack } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import { Download } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { downloadUrl } from '../api/client.ts'
import { sandboxMessageQuery } from '../api/communication.ts'
import type { SandboxMessage } from '../api/types.ts'
import { paths } from '../paths.ts'
import { useUrlState } from '../table/use-url-state.ts'
import { Card } from '../ui/card.tsx'
import { Fact, Facts } from '../ui/facts.tsx'
import { HtmlFrame } from '../ui/html-frame.tsx'
import { Page } from '../ui/page.tsx'
import { Failed } from '../ui/states.tsx'
import { Moment } from '../ui/time.tsx'
import { Waiting } from '../ui/waiting.tsx'
import { addressText } from './sandbox-page.tsx'

export function SandboxMessagePage() {
  const { t } = useTranslation()
  const { id = '' } = useParams({ strict: false }) as { id?: string }
  const { data: message, error, refetch } = useQuery(sandboxMessageQuery(id))
  if (error) return <Failed error={error} retry={() => void refetch()} />
  return (
    <Page
      title={message ? message.subject || t('content.no_subject') : t('common.loading')}
      back={{ href: paths.sandbox(), label: t('nav.sandbox') }}
      actions={
        message && (
          <Button
            component="a"
            href={downloadUrl(`/communication/sandbox/messages/${message.id}/raw`)}
            download
            variant="default"
            leftSection={<Download size={16} aria-hidden />}
          >
            {t('sandbox.download')}
          </Button>
        )
      }
    >
      <Waiting for={message} lines={10}>
        {message && <MessageView message={message} />}
      </Waiting>
    </Page>
  )
}

function MessageView({ message }: { message: SandboxMessage }) {
  const { t } = useTranslation()
  const [search, change] = useUrlState()
  const view = search.view ?? (message.html ? 'html' : 'text')
  const views = [
    ...(message.html ? [{ value: 'html', label: t('content.html') }] : []),
    { value: 'text', label: t('content.text') },
    { value: 'headers', label: t('sandbox.headers') },
  ]
  return (
    <Stack gap="lg">
      <Card>
        <Facts>
          <Fact name={t('sandbox.from')}>{message.from}</Fact>
          <Fact name={t('sandbox.to')}>{addressText(message.to)}</Fact>
          <Fact name={t('sandbox.received')}>
            <Moment at={message.received_at} exact />
          </Fact>
        </Facts>
      </Card>
      <Card
        title={t('sandbox.message')}
        aside={
          <SegmentedControl
            size="xs"
            aria-label={t('sandbox.view')}
            data={views}
            value={view}
            onChange={(value) => change({ view: value })}
          />
        }
      >
        {view === 'html' && <HtmlFrame html={message.html ?? ''} title={t('sandbox.message')} height={640} />}
        {view === 'text' && (
          <pre className="mail-text" tabIndex={0}>
            {message.text ?? t('sandbox.no_text')}
          </pre>
        )}
        {view === 'headers' && (
          <dl className="headers">
            {message.headers.map(({ name, value }, index) => (
              <div key={`${name}${index}`}>
                <dt>{name}</dt>
                <dd>{value}</dd>
              </div>
            ))}
          </dl>
        )}
      </Card>
    </Stack>
  )
}
