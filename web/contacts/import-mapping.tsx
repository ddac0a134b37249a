import { Alert, Badge, Button, Group, Select, Stack, Switch, Text } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import type { TFunction } from 'i18next'
import { useTranslation } from 'react-i18next'
import { type Reading, uploadFile } from '../api/imports.ts'
import type { ImportColumn, ImportPreview } from '../api/types.ts'
import { ProblemAlert } from '../form/problem-alert.tsx'
import { Card } from '../ui/card.tsx'
import { useNumbers } from '../ui/number.ts'
import { customField, doubleFields, fillsEmail, importFields, type ImportField, type Mapping } from './import-fields.ts'

const encodings = ['utf-8', 'utf-16le', 'utf-16be', 'windows-1252']
const delimiters = [',', ';', '\t', '|']

type ImportMappingProps = {
  file: File
  preview: ImportPreview
  mapping: Mapping
  reread: (preview: ImportPreview) => void
  change: (mapping: Mapping) => void
  back: () => void
  next: () => void
}

export function ImportMapping({ file, preview, mapping, reread, change, back, next }: ImportMappingProps) {
  const { t } = useTranslation()
  const fieldLabel = useFieldLabel()
  const doubles = doubleFields(mapping)
  const isReady = fillsEmail(mapping) && doubles.length === 0
  return (
    <Stack gap="lg">
      <ReadingCard file={file} preview={preview} reread={reread} />
      <Card title={t('import.map_title')}>
        <Text fz="sm" c="dimmed" mb="sm">
          {t('import.map_lead')}
        </Text>
        <ul className="mapping">
          {preview.columns.map((column) => (
            <MappingRow
              key={column.index}
              column={column}
              field={mapping[String(column.index)] ?? null}
              change={(field) => change({ ...mapping, [String(column.index)]: field })}
            />
          ))}
        </ul>
        {!fillsEmail(mapping) && (
          <Alert color="orange" mt="md" role="status">
            {t('import.need_email')}
          </Alert>
        )}
        {doubles.length > 0 && (
          <Alert color="orange" mt="md" role="status">
            {t('import.double', { fields: doubles.map(fieldLabel).join(', ') })}
          </Alert>
        )}
      </Card>
      <Group justify="flex-end">
        <Button variant="default" onClick={back}>
          {t('common.back')}
        </Button>
        <Button disabled={!isReady} onClick={next}>
          {t('common.next')}
        </Button>
      </Group>
    </Stack>
  )
}

type ReadingCardProps = { file: File; preview: ImportPreview; reread: (preview: ImportPreview) => void }

/** How the file was read; another choice reads it again. */
function ReadingCard({ file, preview, reread }: ReadingCardProps) {
  const { t } = useTranslation()
  const numbers = useNumbers()
  const again = useMutation({
    mutationFn: (reading: Reading) =>
      uploadFile(file, {
        encoding: preview.encoding,
        delimiter: preview.delimiter,
        has_header: preview.has_header,
        ...reading,
      }),
    onSuccess: reread,
  })
  const read = (reading: Reading) => again.mutate(reading)
  return (
    <Card
      title={preview.file_name}
      aside={
        <Text fz="sm" c="dimmed">
          {numbers.bytes(preview.size_bytes)}
        </Text>
      }
    >
      <ProblemAlert error={again.error} />
      <Group align="flex-end" gap="md">
        <Select
          label={t('import.encoding')}
          allowDeselect={false}
          w={170}
          disabled={again.isPending}
          value={preview.encoding.toLowerCase()}
          data={[...new Set([preview.encoding.toLowerCase(), ...encodings])]}
          onChange={(encoding) => encoding && read({ encoding })}
        />
        <Select
          label={t('import.delimiter')}
          allowDeselect={false}
          w={170}
          disabled={again.isPending}
          value={preview.delimiter}
          data={[...new Set([preview.delimiter, ...delimiters])].map((value) => ({
            value,
            label: delimiterLabel(value, t),
          }))}
          onChange={(delimiter) => delimiter && read({ delimiter })}
        />
        <Switch
          label={t('import.has_header')}
          checked={preview.has_header}
          disabled={again.isPending}
          onChange={(event) => read({ has_header: event.currentTarget.checked })}
          mb={8}
        />
      </Group>
    </Card>
  )
}

function delimiterLabel(delimiter: string, t: TFunction): string {
  switch (delimiter) {
    case ',':
      return t('import.comma')
    case ';':
      return t('import.semicolon')
    case '\t':
      return t('import.tab')
    case '|':
      return t('import.pipe')
    default:
      return delimiter
  }
}

type MappingRowProps = { column: ImportColumn; field: string | null; change: (field: string | null) => void }

function MappingRow({ column, field, change }: MappingRowProps) {
  const { t } = useTranslation()
  const numbers = useNumbers()
  const fieldLabel = useFieldLabel()
  const name = column.header || t('import.column', { number: column.index + 1 })
  const custom = field?.startsWith('custom:') ? field : customField(column)
  const isSuggested = field !== null && field === column.suggested_field
  return (
    <li>
      <div className="mapping-source">
        <Text fz="sm" fw={600}>
          {name}
        </Text>
        <Text fz="xs" c="dimmed" lineClamp={2}>
          {column.samples.length > 0 ? column.samples.join(' · ') : t('import.no_samples')}
        </Text>
      </div>
      <div className="mapping-target">
        <Select
          aria-label={t('import.field_for', { column: name })}
          placeholder={t('import.leave_out')}
          searchable
          clearable
          value={field}
          onChange={change}
          data={[
            ...importFields.map((value) => ({ value: value as string, label: fieldLabel(value) })),
            { value: custom, label: fieldLabel(custom) },
          ]}
        />
        {isSuggested && (
          <Badge size="sm" color={column.confidence >= 0.8 ? 'pine' : 'yellow'} className="badge">
            {t('import.confidence', { share: numbers.share(column.confidence, 1) })}
          </Badge>
        )}
      </div>
    </li>
  )
}

function useFieldLabel(): (field: string) => string {
  const { t } = useTranslation()
  return (field) =>
    field.startsWith('custom:')
      ? t('import.custom_field', { name: field.slice('custom:'.length) })
      : t(`fields.${field as ImportField}`)
}
