// Says in the reader's words why something did not work: our own sentence for the codes we know, else the server's.
import type { TFunction } from 'i18next'
import { ApiProblem } from './client.ts'
import { en } from '../i18n/en.ts'

export function explain(error: unknown, t: TFunction): string {
  if (!(error instanceof ApiProblem)) return t('problems.unknown')
  if (isKnown(error.code)) return t(`problems.${error.code}`)
  if (error.status === 429) return t('problems.too_many')
  if (error.status === 412) return t('problems.stale')
  if (error.status === 403) return t('problems.forbidden')
  if (error.status === 404) return t('problems.not_found')
  if (error.status >= 500) return t('problems.server')
  return error.detail || t('problems.unknown')
}

function isKnown(code: string): code is keyof typeof en.problems {
  return Object.hasOwn(en.problems, code)
}
