import { Button, Group, Stack, TextInput } from '@mantine/core'
import { useForm } from '@mantine/form'
import { useQueryClient } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { createCampaign } from '../api/communication.ts'
import { needsText } from '../form/checks.ts'
import { ProblemAlert } from '../form/problem-alert.tsx'
import { useSubmit } from '../form/use-submit.ts'
import { paths } from '../paths.ts'
import { useFollow } from '../shell/link-navigation.ts'
import { Card } from '../ui/card.tsx'
import { Page } from '../ui/page.tsx'

/** A campaign is a draft on the server from its first word on, so that nothing typed later can be lost. */
export function NewCampaignPage() {
  const { t } = useTranslation()
  const follow = useFollow()
  const queries = useQueryClient()
  const form = useForm({ mode: 'uncontrolled', initialValues: { name: '' }, validate: { name: needsText(t) } })
  const { submit, isSending, error } = useSubmit({
    form,
    send: ({ name }) => createCampaign({ name: name.trim() }),
    done: async (campaign) => {
      await queries.invalidateQueries({ queryKey: ['campaigns'] })
      follow(paths.editCampaign(campaign.id), 'replace')
    },
  })
  return (
    <Page title={t('campaigns.new')} back={{ href: paths.campaigns(), label: t('nav.campaigns') }} width="reading">
      <Card>
        <form onSubmit={submit} noValidate>
          <Stack>
            <ProblemAlert error={error} />
            <TextInput
              label={t('composer.name')}
              description={t('composer.name_hint')}
              required
              autoFocus
              key={form.key('name')}
              {...form.getInputProps('name')}
            />
            <Group justify="flex-end">
              <Button component="a" href={paths.campaigns()} variant="default">
                {t('common.cancel')}
              </Button>
              <Button type="submit" loading={isSending}>
                {t('composer.start')}
              </Button>
            </Group>
          </Stack>
        </form>
      </Card>
    </Page>
  )
}
