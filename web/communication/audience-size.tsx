import { Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { audienceQuery } from '../api/communication.ts'
import type { Audience, Category } from '../api/types.ts'
import { ProblemAlert } from '../form/problem-alert.tsx'
import { Figure } from '../ui/figure.tsx'
import { useNumbers } from '../ui/number.ts'
import { Waiting } from '../ui/waiting.tsx'
import { useReason } from './reasons.ts'

/** How many will get it, and who will not and why, before anything is sent. */
export function AudienceSize({ audience, category }: { audience: Audience; category: Category }) {
  const { t } = useTranslation()
  const numbers = useNumbers()
  const reason = useReason()
  const { data, error } = useQuery(audienceQuery(audience, category))
  const skipped = Object.entries(data?.skipped_by_reason ?? {}).filter(([, count]) => count > 0)
  if (error) return <ProblemAlert error={error} />
  return (
    <div aria-live="polite">
      <div className="figures">
        <Figure label={t('composer.will_get')} value={<Waiting for={data}>{numbers.count(data?.sendable)}</Waiting>} />
        <Figure
          label={t('composer.will_skip')}
          value={<Waiting for={data}>{numbers.count((data?.size ?? 0) - (data?.sendable ?? 0))}</Waiting>}
        />
        <Figure label={t('composer.in_audience')} value={<Waiting for={data}>{numbers.count(data?.size)}</Waiting>} />
      </div>
      {skipped.length > 0 && (
        <>
          <Text fz="sm" fw={600} mt="md">
            {t('composer.skipped_because')}
          </Text>
          <ul className="reasons">
            {skipped.map(([name, count]) => (
              <li key={name}>
                <span>{reason(name)}</span>
                <strong>{numbers.count(count)}</strong>
              </li>
            ))}
          </ul>
        </>
      )}
    </div>
  )
}
