import { useTranslation } from 'react-i18next'
import { en } from '../i18n/en.ts'

type KnownReason = keyof typeof en.reason

/** Why a message was not sent, in words; a reason that a later server adds shows its own name, made readable. */
export function useReason(): (name: string) => string {
  const { t } = useTranslation()
  return (name) => (Object.hasOwn(en.reason, name) ? t(`reason.${name as KnownReason}`) : name.replaceAll(/[._]/g, ' '))
}
