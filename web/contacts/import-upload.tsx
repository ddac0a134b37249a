import { Group, Loader, Stack, Text } from '@mantine/core'
import { Dropzone } from '@mantine/dropzone'
import { useMutation } from '@tanstack/react-query'
import { FileSpreadsheet, FileX } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { uploadFile } from '../api/imports.ts'
import type { ImportPreview } from '../api/types.ts'
import { ProblemAlert } from '../form/problem-alert.tsx'
import { Card } from '../ui/card.tsx'

export function ImportUpload({ done }: { done: (file: File, preview: ImportPreview) => void }) {
  const { t } = useTranslation()
  const upload = useMutation({
    mutationFn: (file: File) => uploadFile(file),
    onSuccess: (preview, file) => done(file, preview),
  })
  return (
    <Card>
      <Stack>
        <ProblemAlert error={upload.error} />
        <Dropzone
          onDrop={([file]) => file && upload.mutate(file)}
          multiple={false}
          loading={upload.isPending}
          className="drop"
          inputProps={{ 'aria-label': t('import.choose_file') }}
        >
          <Group justify="center" gap="lg" mih={190} className="drop-body">
            <Dropzone.Reject>
              <FileX size={44} strokeWidth={1.4} aria-hidden />
            </Dropzone.Reject>
            <FileSpreadsheet size={44} strokeWidth={1.4} aria-hidden />
            <div>
              <Text fw={600}>{t('import.drop')}</Text>
              <Text fz="sm" c="dimmed">
                {t('import.drop_hint')}
              </Text>
            </div>
            {upload.isPending && <Loader size="sm" aria-label={t('common.loading')} />}
          </Group>
        </Dropzone>
        <Text fz="sm" c="dimmed">
          {t('import.file_note')}
        </Text>
      </Stack>
    </Card>
  )
}
