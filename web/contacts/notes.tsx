import { ActionIcon, Button, Group, Stack, Text, Textarea } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { Trash2 } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { post, remove } from '../api/client.ts'
import { notesQuery, useContactAddition, useContactsChanged } from '../api/contacts.ts'
import { explain } from '../api/explain.ts'
import { useAbilities } from '../api/session.ts'
import type { Note } from '../api/types.ts'
import { ProblemAlert } from '../form/problem-alert.tsx'
import { Card } from '../ui/card.tsx'
import { toastDone, toastProblem } from '../ui/toasts.tsx'
import { Moment } from '../ui/time.tsx'
import { Waiting } from '../ui/waiting.tsx'

const longestNote = 500

export function Notes({ contactId }: { contactId: string }) {
  const { t } = useTranslation()
  const { write } = useAbilities()
  const [text, setText] = useState('')
  const notes = useQuery(notesQuery(contactId))
  const add = useContactAddition((content: string) => post(`/contacts/${contactId}/notes`, { content }))
  return (
    <Card title={t('notes.title')}>
      <Stack gap="sm">
        {write && (
          <form
            onSubmit={(event) => {
              event.preventDefault()
              add.mutate(text.trim(), { onSuccess: () => setText('') })
            }}
          >
            <ProblemAlert error={add.error} />
            <Textarea
              aria-label={t('notes.new')}
              placeholder={t('notes.new')}
              autosize
              minRows={2}
              maxLength={longestNote}
              value={text}
              onChange={(event) => setText(event.currentTarget.value)}
            />
            {text.trim() && (
              <Group justify="space-between" mt={6}>
                <Text fz="xs" c="dimmed">
                  {t('notes.left', { count: longestNote - text.length })}
                </Text>
                <Button type="submit" size="xs" loading={add.isPending}>
                  {t('notes.add')}
                </Button>
              </Group>
            )}
          </form>
        )}
        <Waiting for={notes.data ?? (notes.error ? null : undefined)} lines={2}>
          {notes.data?.data.map((note) => (
            <NoteItem key={note.id} contactId={contactId} note={note} mayDelete={write} />
          ))}
          {notes.data?.data.length === 0 && (
            <Text c="dimmed" fz="sm">
              {t('notes.none')}
            </Text>
          )}
        </Waiting>
      </Stack>
    </Card>
  )
}

function NoteItem({ contactId, note, mayDelete }: { contactId: string; note: Note; mayDelete: boolean }) {
  const { t } = useTranslation()
  const changed = useContactsChanged()
  const write = useContactAddition(() => post(`/contacts/${contactId}/notes`, { content: note.content }))
  const drop = useMutation({
    mutationFn: () => remove(`/contacts/${contactId}/notes/${note.id}`),
    onSuccess: async () => {
      await changed()
      toastDone(t('notes.deleted'), { label: t('common.undo'), run: () => write.mutate(undefined) })
    },
    onError: (error) => toastProblem(explain(error, t)),
  })
  return (
    <div className="note">
      <Text fz="sm" className="timeline-text">
        {note.content}
      </Text>
      <Group justify="space-between">
        <Text fz="xs" c="dimmed">
          {note.created_by_name && `${note.created_by_name} · `}
          <Moment at={note.created_at} />
        </Text>
        {mayDelete && (
          <ActionIcon
            variant="subtle"
            color="gray"
            size="md"
            aria-label={t('notes.delete')}
            loading={drop.isPending}
            onClick={() => drop.mutate()}
          >
            <Trash2 size={15} aria-hidden />
          </ActionIcon>
        )}
      </Group>
    </div>
  )
}
