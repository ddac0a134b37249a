import { Badge, Button, Group, Text } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { explain } from '../api/explain.ts'
import { endAllSessions, endSession, sessionsQuery } from '../api/workspace.ts'
import { paths } from '../paths.ts'
import { Card } from '../ui/card.tsx'
import { confirm } from '../ui/confirm.tsx'
import { Failed } from '../ui/states.tsx'
import { Moment } from '../ui/time.tsx'
import { toastProblem } from '../ui/toasts.tsx'
import { Waiting } from '../ui/waiting.tsx'
import { deviceName } from './device-name.ts'

export function SessionsCard() {
  const { t } = useTranslation()
  const queries = useQueryClient()
  const sessions = useQuery(sessionsQuery)
  const complain = (error: unknown) => toastProblem(explain(error, t))
  const end = useMutation({
    mutationFn: endSession,
    onSuccess: () => queries.invalidateQueries({ queryKey: ['sessions'] }),
    onError: complain,
  })
  const endAll = useMutation({
    mutationFn: endAllSessions,
    onSuccess: () => window.location.assign(paths.signIn()),
    onError: complain,
  })
  const ask = () =>
    confirm({
      title: t('security.everywhere'),
      body: t('security.everywhere_text'),
      confirm: t('security.everywhere'),
      cancel: t('common.cancel'),
      danger: true,
      run: () => endAll.mutate(),
    })
  return (
    <Card
      title={t('security.sessions')}
      aside={
        <Button size="xs" variant="default" onClick={ask}>
          {t('security.everywhere')}
        </Button>
      }
    >
      {sessions.error ? (
        <Failed error={sessions.error} retry={() => void sessions.refetch()} />
      ) : (
        <Waiting for={sessions.data} lines={3}>
          <ul className="rows">
            {sessions.data?.map((session) => (
              <li key={session.id}>
                <div>
                  <Group gap="xs">
                    <Text fz="sm" fw={600}>
                      {deviceName(session.user_agent) ?? t('security.unknown_device')}
                    </Text>
                    {session.current && <Badge className="badge">{t('security.this_one')}</Badge>}
                  </Group>
                  <Text fz="xs" c="dimmed">
                    {session.ip} · {t('security.last_seen')} <Moment at={session.last_seen_at} />
                  </Text>
                </div>
                {!session.current && (
                  <Button size="compact-sm" variant="default" onClick={() => end.mutate(session.id)}>
                    {t('security.end')}
                  </Button>
                )}
              </li>
            ))}
          </ul>
        </Waiting>
      )}
    </Card>
  )
}
