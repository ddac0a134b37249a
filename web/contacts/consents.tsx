import { Badge, Button, Group, Stack, Text, Tooltip } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { post } from '../api/client.ts'
import { consentsQuery, useContactAddition } from '../api/contacts.ts'
import { useAbilities } from '../api/session.ts'
import type { Contact } from '../api/types.ts'
import { ProblemAlert } from '../form/problem-alert.tsx'
import { Card } from '../ui/card.tsx'
import { Moment } from '../ui/time.tsx'
import { Waiting } from '../ui/waiting.tsx'

const decisionColors = { granted: 'pine', withdrawn: 'red', pending: 'yellow' } as const

/** What the contact allows today, and the ledger of how it came to that. */
export function Consents({ contact }: { contact: Contact }) {
  const { t } = useTranslation()
  const { write } = useAbilities()
  const ledger = useQuery(consentsQuery(contact.id))
  const change = useContactAddition(({ type, wanted }: { type: string; wanted: boolean }) =>
    post(`/contacts/${contact.id}/${wanted ? 'subscribe' : 'unsubscribe'}`, { type }),
  )
  const subscriptions = [
    { type: 'newsletter', on: contact.newsletter_subscribed },
    { type: 'marketing', on: contact.marketing_subscribed },
  ] as const
  return (
    <Card title={t('consent.title')}>
      <Stack gap="sm">
        <ProblemAlert error={change.error} />
        {subscriptions.map(({ type, on }) => (
          <Group key={type} justify="space-between" wrap="nowrap">
            <Group gap="xs">
              <Text fz="sm" fw={500}>
                {t(`consent.${type}`)}
              </Text>
              <Badge color={on ? 'pine' : 'gray'} className="badge">
                {on ? t('consent.subscribed') : t('consent.not_subscribed')}
              </Badge>
            </Group>
            {write && (
              <Button
                size="xs"
                variant="default"
                loading={change.isPending && change.variables.type === type}
                onClick={() => change.mutate({ type, wanted: !on })}
              >
                {on ? t('consent.unsubscribe') : t('consent.subscribe')}
                <span className="visually-hidden"> ({t(`consent.${type}`)})</span>
              </Button>
            )}
          </Group>
        ))}
        <Waiting for={ledger.data ?? (ledger.error ? null : undefined)} lines={3}>
          <ul className="ledger">
            {ledger.data?.data.map((entry) => (
              <li key={entry.id}>
                <Group gap={6}>
                  <Badge size="sm" color={decisionColors[entry.decision]} className="badge">
                    {t(`consent.${entry.decision}`)}
                  </Badge>
                  <Text fz="sm">{t(`consent.${entry.purpose}`)}</Text>
                  <Text fz="xs" c="dimmed">
                    <Moment at={entry.recorded_at} />
                  </Text>
                </Group>
                <Text fz="xs" c="dimmed">
                  {entry.source && t(`consent_source.${entry.source}`, entry.source.replaceAll('_', ' '))}
                  {entry.ip && ` · ${entry.ip}`}
                </Text>
                {entry.wording && (
                  <Tooltip label={entry.wording} multiline maw={320}>
                    <Text fz="xs" c="dimmed" fs="italic" truncate tabIndex={0}>
                      {entry.wording}
                    </Text>
                  </Tooltip>
                )}
              </li>
            ))}
          </ul>
          {ledger.data?.data.length === 0 && (
            <Text c="dimmed" fz="sm">
              {t('consent.none')}
            </Text>
          )}
        </Waiting>
      </Stack>
    </Card>
  )
}
