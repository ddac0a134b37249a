import { useTranslation } from 'react-i18next'
import type { Import } from '../api/types.ts'
import { Figure } from '../ui/figure.tsx'
import { useNumbers } from '../ui/number.ts'

type Counts = Pick<Import, 'rows' | 'created' | 'updated' | 'merged' | 'skipped' | 'failed'>

/** The counts always add up to the rows. */
export function ImportCounts({ counts, future = false }: { counts: Counts; future?: boolean }) {
  const { t } = useTranslation()
  const numbers = useNumbers()
  const names = ['created', 'updated', 'merged', 'skipped', 'failed'] as const
  return (
    <div className="figures">
      <Figure label={t('import.rows')} value={numbers.count(counts.rows)} />
      {names.map((name) => (
        <Figure
          key={name}
          label={t(future ? `import.will_be_${name}` : `import.${name}`)}
          value={numbers.count(counts[name])}
        />
      ))}
    </div>
  )
}
