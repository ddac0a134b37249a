// Writing a message: its source on one side, what a reader will see on the other, with the data of a contact of one's choice.
import { Alert, Anchor, Badge, Group, SegmentedControl, Stack, Text, TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { type Draft, previewQuery } from '../api/communication.ts'
import type { RenderError, Rendered } from '../api/types.ts'
import { ContactChoice } from '../form/choices.tsx'
import { ProblemAlert } from '../form/problem-alert.tsx'
import { SourceEditor, type SourceEditorHandle } from '../form/source-editor.tsx'
import { HtmlFrame } from '../ui/html-frame.tsx'
import { MergeFields } from './merge-fields.tsx'

export type Content = { subject: string; body_html: string; body_text: string }
type Part = 'html' | 'text'
type ContentEditorProps = {
  content: Content
  change: (part: Partial<Content>) => void
  withText?: boolean
  subjectError?: string | null
}

export function ContentEditor({ content, change, withText = false, subjectError }: ContentEditorProps) {
  const { t } = useTranslation()
  const [part, setPart] = useState<Part>('html')
  const [contactId, setContactId] = useState<string | null>(null)
  const editor = useRef<SourceEditorHandle>(null)
  const preview = usePreview(content, contactId)
  const errors = preview.data?.errors ?? []
  const linesOf = (pointer: Part) =>
    errors.filter((error) => error.line !== null && error.pointer.includes(pointer)).map((error) => error.line!)
  const parts = [
    { value: 'html', label: t('content.html') },
    { value: 'text', label: t('content.text') },
  ]
  return (
    <div className="editor">
      <Stack gap="sm" className="editor-side">
        <TextInput
          label={t('content.subject')}
          required
          value={content.subject}
          error={subjectError}
          onChange={(event) => change({ subject: event.currentTarget.value })}
        />
        <Group justify="space-between">
          {withText ? (
            <SegmentedControl
              size="xs"
              aria-label={t('content.part')}
              data={parts}
              value={part}
              onChange={(value) => setPart(value as Part)}
            />
          ) : (
            <span />
          )}
          <MergeFields insert={(text) => editor.current?.insert(text)} />
        </Group>
        {part === 'html' ? (
          <SourceEditor
            id="body-html"
            label={t('content.html_label')}
            value={content.body_html}
            onChange={(body_html) => change({ body_html })}
            errorLines={linesOf('html')}
            ref={editor}
          />
        ) : (
          <SourceEditor
            id="body-text"
            label={t('content.text_label')}
            value={content.body_text}
            onChange={(body_text) => change({ body_text })}
            errorLines={linesOf('text')}
            ref={editor}
          />
        )}
        <Errors errors={errors} goTo={(line) => editor.current?.goToLine(line)} />
      </Stack>
      <Stack gap="sm" className="editor-side">
        <ContactChoice
          label={t('content.as_contact')}
          placeholder={t('content.as_anyone')}
          value={contactId}
          onChange={setContactId}
        />
        <ProblemAlert error={preview.error} />
        <Preview rendered={preview.data} part={part} />
      </Stack>
    </div>
  )
}

function usePreview(content: Content, contactId: string | null) {
  const [draft] = useDebouncedValue(content, 400)
  const request: Draft = {
    subject: draft.subject,
    body_html: draft.body_html,
    ...(draft.body_text ? { body_text: draft.body_text } : {}),
    ...(contactId ? { contact_id: contactId } : {}),
  }
  return useQuery({ ...previewQuery(request), enabled: draft.body_html !== '' || draft.subject !== '' })
}

function Errors({ errors, goTo }: { errors: RenderError[]; goTo: (line: number) => void }) {
  const { t } = useTranslation()
  if (errors.length === 0) return null
  return (
    <Alert color="red" role="alert" title={t('content.errors', { count: errors.length })}>
      <ul className="plain-list">
        {errors.map((error) => (
          <li key={`${error.pointer}:${error.line}:${error.detail}`}>
            {error.line !== null && (
              <Anchor component="button" type="button" fz="sm" onClick={() => error.line !== null && goTo(error.line)}>
                {t('content.line', { line: error.line })}
              </Anchor>
            )}{' '}
            {error.detail}
          </li>
        ))}
      </ul>
    </Alert>
  )
}

function Preview({ rendered, part }: { rendered: Rendered | undefined; part: Part }) {
  const { t } = useTranslation()
  return (
    <section aria-label={t('content.preview')} className="preview">
      <Group className="preview-subject" gap="xs" wrap="nowrap">
        <Badge color="gray" className="badge">
          {t('content.preview')}
        </Badge>
        <Text fz="sm" fw={600} truncate>
          {rendered?.subject || t('content.no_subject')}
        </Text>
      </Group>
      {part === 'html' ? (
        <HtmlFrame title={t('content.preview')} html={rendered?.html ?? ''} height={520} />
      ) : (
        <pre className="mail-text" tabIndex={0}>
          {rendered?.text}
        </pre>
      )}
    </section>
  )
}
