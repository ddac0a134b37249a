import { Alert, Button, Group, Progress, Stack, Text } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { CircleCheck, Download, Undo2 } from 'lucide-react'
import type { TFunction } from 'i18next'
import { useTranslation } from 'react-i18next'
import { downloadUrl } from '../api/client.ts'
import { useContactsChanged } from '../api/contacts.ts'
import { explain } from '../api/explain.ts'
import { cancelImport, importIsRunning, importQuery, undoImport } from '../api/imports.ts'
import type { Import } from '../api/types.ts'
import { paths } from '../paths.ts'
import { Card } from '../ui/card.tsx'
import { confirm } from '../ui/confirm.tsx'
import { useNumbers } from '../ui/number.ts'
import { Failed } from '../ui/states.tsx'
import { toastDone, toastProblem } from '../ui/toasts.tsx'
import { Waiting } from '../ui/waiting.tsx'
import { ImportCounts } from './import-counts.tsx'

export function ImportProgress({ id, again }: { id: string; again: () => void }) {
  const found = useQuery(importQuery(id))
  const queries = useQueryClient()
  if (found.error && !found.data) return <Failed error={found.error} retry={() => void found.refetch()} />
  return (
    <Waiting for={found.data} lines={5}>
      {found.data &&
        (importIsRunning(found.data.status) ? (
          <Running job={found.data} />
        ) : (
          <Result
            job={found.data}
            again={again}
            refresh={() => void queries.invalidateQueries({ queryKey: ['imports'] })}
          />
        ))}
    </Waiting>
  )
}

function Running({ job }: { job: Import }) {
  const { t } = useTranslation()
  const numbers = useNumbers()
  const cancel = useMutation({
    mutationFn: () => cancelImport(job.id),
    onError: (error) => toastProblem(explain(error, t)),
  })
  const share = job.bytes_total > 0 ? job.bytes_done / job.bytes_total : 0
  return (
    <Card title={t('import.running', { file: job.file_name })}>
      <Stack>
        <Progress value={share * 100} size="lg" animated aria-label={t('import.progress')} />
        <Group justify="space-between">
          <Text fz="sm" role="status">
            {t('import.done_rows', { count: job.rows, rows: numbers.count(job.rows) })}
            {job.rate ? ` · ${t('import.rate', { rate: numbers.count(Math.round(job.rate)) })}` : ''}
            {` · ${remaining(job, t)}`}
          </Text>
          <Button variant="default" size="xs" loading={cancel.isPending} onClick={() => cancel.mutate()}>
            {t('common.cancel')}
          </Button>
        </Group>
        <ImportCounts counts={job} />
        <Text fz="sm" c="dimmed">
          {t('import.leave_hint')}
        </Text>
      </Stack>
    </Card>
  )
}

/** The time left, from the share of the file that is done and the time it took. */
function remaining(job: Import, t: TFunction): string {
  const elapsed = job.started_at ? (Date.now() - new Date(job.started_at).getTime()) / 1000 : 0
  if (job.bytes_done === 0 || elapsed < 1) return t('import.estimating')
  const seconds = Math.max(1, Math.round((elapsed * (job.bytes_total - job.bytes_done)) / job.bytes_done))
  return seconds < 90
    ? t('import.seconds_left', { count: seconds })
    : t('import.minutes_left', { count: Math.round(seconds / 60) })
}

function Result({ job, again, refresh }: { job: Import; again: () => void; refresh: () => void }) {
  const { t } = useTranslation()
  const changed = useContactsChanged()
  const undo = useMutation({
    mutationFn: () => undoImport(job.id),
    onSuccess: async () => {
      refresh()
      toastDone(t('import.undoing'))
      await changed()
    },
    onError: (error) => toastProblem(explain(error, t)),
  })
  const askUndo = () =>
    confirm({
      title: t('import.undo_title'),
      body: t('import.undo_text'),
      confirm: t('import.undo'),
      cancel: t('common.cancel'),
      danger: true,
      run: () => undo.mutate(),
    })
  const isUndone = job.status === 'undone' || Boolean(job.undone_at)
  const hasWritten = job.created + job.updated + job.merged > 0
  return (
    <Card title={t('import.result', { file: job.file_name })}>
      <Stack>
        {isUndone ? (
          <Alert color="gray">{t('import.was_undone')}</Alert>
        ) : (
          <Alert
            color={job.status === 'succeeded' ? 'pine' : 'orange'}
            icon={<CircleCheck size={18} aria-hidden />}
            role="status"
          >
            {t(
              job.status === 'canceled'
                ? 'import.was_canceled'
                : job.status === 'failed'
                  ? 'import.failed_text'
                  : 'import.finished',
            )}
          </Alert>
        )}
        <ImportCounts counts={job} />
        {job.failed > 0 && <Text fz="sm">{t('import.failed_hint')}</Text>}
        <Group>
          <Button component="a" href={paths.contacts()}>
            {t('import.see_contacts')}
          </Button>
          {job.failed > 0 && (
            <Button
              component="a"
              href={downloadUrl(`/contacts/imports/${job.id}/errors`)}
              download
              variant="default"
              leftSection={<Download size={16} aria-hidden />}
            >
              {t('import.download_failed', { count: job.failed })}
            </Button>
          )}
          {hasWritten && !isUndone && !job.dry_run && (
            <Button
              variant="default"
              leftSection={<Undo2 size={16} aria-hidden />}
              loading={undo.isPending}
              onClick={askUndo}
            >
              {t('import.undo')}
            </Button>
          )}
          <Button variant="subtle" onClick={again}>
            {t('import.another')}
          </Button>
        </Group>
      </Stack>
    </Card>
  )
}
