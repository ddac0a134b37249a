import { Alert, Button, Group, Progress, Stack, Text } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { importIsRunning, importQuery, startImport } from '../api/imports.ts'
import type { ImportPreview } from '../api/types.ts'
import { ProblemAlert } from '../form/problem-alert.tsx'
import { Card } from '../ui/card.tsx'
import { useNumbers } from '../ui/number.ts'
import { ImportCounts } from './import-counts.tsx'
import { type Mapping, requestOf } from './import-fields.ts'
import type { Options } from './import-options.tsx'

type ImportCheckProps = {
  preview: ImportPreview
  mapping: Mapping
  options: Options
  back: () => void
  run: (importId: string) => void
}

/** A rehearsal: the server counts what would happen and writes nothing. */
export function ImportCheck({ preview, mapping, options, back, run }: ImportCheckProps) {
  const { t } = useTranslation()
  const numbers = useNumbers()
  const request = requestOf(preview, mapping, options)
  const rehearsal = useQuery({
    queryKey: ['import-rehearsal', request],
    queryFn: () => startImport({ ...request, dry_run: true }),
    staleTime: Infinity,
    retry: false,
  })
  const counted = useQuery({ ...importQuery(rehearsal.data ?? ''), enabled: rehearsal.data !== undefined })
  const start = useMutation({ mutationFn: () => startImport(request), onSuccess: run })
  const result = counted.data
  const isCounting = rehearsal.isPending || !result || importIsRunning(result.status)
  const willImport = result ? result.created + result.updated + result.merged : 0
  return (
    <Stack gap="lg">
      <Card title={t('import.rehearsal')}>
        <ProblemAlert error={rehearsal.error ?? counted.error ?? start.error} />
        {!rehearsal.error && isCounting && (
          <Stack gap="xs" role="status">
            <Text fz="sm">{t('import.counting', { rows: numbers.count(result?.rows) })}</Text>
            <Progress
              value={result?.bytes_total ? (100 * result.bytes_done) / result.bytes_total : 100}
              animated
              aria-label={t('import.rehearsal')}
            />
          </Stack>
        )}
        {result && !isCounting && result.status === 'failed' && <Alert color="red">{t('import.failed_text')}</Alert>}
        {result && !isCounting && result.status !== 'failed' && (
          <Stack>
            <Text fz="sm" c="dimmed">
              {t('import.rehearsal_lead')}
            </Text>
            <ImportCounts counts={result} future />
            {result.failed > 0 && <Alert color="orange">{t('import.some_will_fail', { count: result.failed })}</Alert>}
          </Stack>
        )}
      </Card>
      <Group justify="flex-end">
        <Button variant="default" onClick={back}>
          {t('common.back')}
        </Button>
        <Button disabled={isCounting || willImport === 0} loading={start.isPending} onClick={() => start.mutate()}>
          {t('import.start', { count: willImport })}
        </Button>
      </Group>
    </Stack>
  )
}
