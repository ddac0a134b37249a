// HTML source with line numbers, so that an error that names a line can be found. It stays a plain textarea: every
// keyboard, screen reader and spelling checker knows it.
import { Input } from '@mantine/core'
import { type Ref, useImperativeHandle, useRef } from 'react'

export type SourceEditorHandle = { insert: (text: string) => void; goToLine: (line: number) => void }

type SourceEditorProps = {
  id: string
  label: string
  value: string
  onChange: (value: string) => void
  errorLines: number[]
  ref?: Ref<SourceEditorHandle>
  rows?: number
}

export function SourceEditor({ id, label, value, onChange, errorLines, ref, rows = 22 }: SourceEditorProps) {
  const area = useRef<HTMLTextAreaElement>(null)
  const gutter = useRef<HTMLDivElement>(null)
  useImperativeHandle(ref, () => ({
    insert: (text) => insertAtCursor(area.current, text, onChange),
    goToLine: (line) => goToLine(area.current, line),
  }))
  const lines = value.split('\n')
  return (
    <Input.Wrapper id={id} label={label}>
      <div className="source" style={{ height: `${rows * 1.5}em` }}>
        <div className="source-gutter" ref={gutter} aria-hidden>
          {lines.map((_, index) => (
            <div key={index} data-error={errorLines.includes(index + 1) || undefined}>
              {index + 1}
            </div>
          ))}
        </div>
        <textarea
          id={id}
          ref={area}
          value={value}
          spellCheck={false}
          wrap="off"
          aria-invalid={errorLines.length > 0 || undefined}
          onChange={(event) => onChange(event.currentTarget.value)}
          onScroll={(event) => gutter.current && (gutter.current.scrollTop = event.currentTarget.scrollTop)}
        />
      </div>
    </Input.Wrapper>
  )
}

function insertAtCursor(area: HTMLTextAreaElement | null, text: string, onChange: (value: string) => void): void {
  if (!area) return
  const { selectionStart, selectionEnd, value } = area
  onChange(value.slice(0, selectionStart) + text + value.slice(selectionEnd))
  requestAnimationFrame(() => {
    area.focus()
    area.setSelectionRange(selectionStart + text.length, selectionStart + text.length)
  })
}

function goToLine(area: HTMLTextAreaElement | null, line: number): void {
  if (!area) return
  const lines = area.value.split('\n')
  const start = lines.slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, 0)
  area.focus()
  area.setSelectionRange(start, start + (lines[line - 1]?.length ?? 0))
  area.scrollTop = Math.max(0, (line - 4) * (area.scrollHeight / Math.max(1, lines.length)))
}
