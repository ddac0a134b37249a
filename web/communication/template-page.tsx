import { Button, Stack, TextInput } from '@mantine/core'
import { useForm } from '@mantine/form'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import { Save } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { changeTemplate, createTemplate, type TemplateFields, templateQuery } from '../api/communication.ts'
import { useAbilities } from '../api/session.ts'
import type { Kept, Template } from '../api/types.ts'
import { needsText } from '../form/checks.ts'
import { ProblemAlert } from '../form/problem-alert.tsx'
import { useSubmit } from '../form/use-submit.ts'
import { paths } from '../paths.ts'
import { useFollow } from '../shell/link-navigation.ts'
import { Card } from '../ui/card.tsx'
import { Page } from '../ui/page.tsx'
import { Failed } from '../ui/states.tsx'
import { toastDone } from '../ui/toasts.tsx'
import { Waiting } from '../ui/waiting.tsx'
import { ContentEditor } from './content-editor.tsx'
import { starterHtml } from './starter.ts'

/** One page for writing a new template (`/templates/new`) and for changing one. */
export function TemplatePage() {
  const { id = '' } = useParams({ strict: false }) as { id?: string }
  const isNew = id === 'new'
  const { data, error, refetch } = useQuery({ ...templateQuery(id), enabled: !isNew })
  if (error) return <Failed error={error} retry={() => void refetch()} />
  if (isNew) return <TemplateEditor key="new" />
  return (
    <Waiting for={data} lines={10}>
      {data && <TemplateEditor key={data.id} template={data} />}
    </Waiting>
  )
}

function TemplateEditor({ template }: { template?: Kept<Template> }) {
  const { t } = useTranslation()
  const { campaigns: may } = useAbilities()
  const follow = useFollow()
  const queries = useQueryClient()
  const starter = starterHtml({
    greeting: t('starter.greeting', { name: '{{contact.first_name}}' }),
    body: t('starter.body'),
    unsubscribe: t('content.unsubscribe'),
  })
  const form = useForm({
    mode: 'controlled',
    initialValues: {
      name: template?.name ?? '',
      subject: template?.subject ?? '',
      body_html: template?.body_html ?? starter,
      body_text: template?.body_text ?? '',
    },
    validate: { name: needsText(t), subject: needsText(t) },
  })
  const { submit, isSending, error } = useSubmit({
    form,
    send: (values) => {
      const fields: TemplateFields = { ...values, body_text: values.body_text || null }
      return template ? changeTemplate(template, fields) : createTemplate(fields)
    },
    done: async (saved, values) => {
      form.resetDirty(values)
      toastDone(t('common.saved'))
      await queries.invalidateQueries({ queryKey: ['templates'] })
      if (!template) follow(paths.template(saved.id), 'replace')
    },
  })
  const title = template?.name ?? t('templates.new')
  return (
    <form onSubmit={submit} noValidate>
      <Page
        title={title}
        back={{ href: paths.templates(), label: t('nav.templates') }}
        lead={form.isDirty() ? t('templates.unsaved') : ' '}
        actions={
          may && (
            <Button type="submit" loading={isSending} leftSection={<Save size={16} aria-hidden />}>
              {t('common.save')}
            </Button>
          )
        }
      >
        <Card>
          <Stack>
            <ProblemAlert error={error} />
            <TextInput
              label={t('templates.name')}
              description={t('templates.name_hint')}
              required
              maw={480}
              {...form.getInputProps('name')}
            />
            <ContentEditor
              withText
              content={form.values}
              subjectError={form.errors.subject as string | null}
              change={(part) => form.setValues(part)}
            />
          </Stack>
        </Card>
      </Page>
    </form>
  )
}
