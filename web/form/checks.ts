// The few checks that a form makes before asking the server, which checks everything again.
import type { TFunction } from 'i18next'

export const isEmail = (text: string) => /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(text.trim())

export const needsText = (t: TFunction) => (value: string | null) => (value?.trim() ? null : t('form.required'))
export const needsEmail = (t: TFunction) => (value: string) => (isEmail(value) ? null : t('form.email'))
export const needsPassword = (t: TFunction) => (value: string) => (value.length >= 12 ? null : t('form.password'))

/** Empty text fields are sent as null, so that clearing a field clears it. */
export function emptyToNull<T extends Record<string, unknown>>(values: T): { [K in keyof T]: T[K] | null } {
  return Object.fromEntries(
    Object.entries(values).map(([key, value]) => [
      key,
      typeof value === 'string' && value.trim() === '' ? null : value,
    ]),
  ) as { [K in keyof T]: T[K] | null }
}
