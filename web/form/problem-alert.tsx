import { Alert } from '@mantine/core'
import { TriangleAlert } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { explain } from '../api/explain.ts'

/** The refusal of a whole form, read aloud as it appears. */
export function ProblemAlert({ error }: { error: unknown }) {
  const { t } = useTranslation()
  if (!error) return null
  return (
    <Alert color="red" variant="light" icon={<TriangleAlert size={18} aria-hidden />} role="alert">
      {explain(error, t)}
    </Alert>
  )
}
