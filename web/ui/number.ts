// Numbers in the reader's language. A total beyond what the server counts exactly reads "10,000+".
import { useTranslation } from 'react-i18next'
import type { Total } from '../api/types.ts'

export function useNumbers() {
  const { i18n } = useTranslation()
  const plain = new Intl.NumberFormat(i18n.language)
  const percent = new Intl.NumberFormat(i18n.language, { style: 'percent', maximumFractionDigits: 1 })
  return {
    count: (value: number | null | undefined) => plain.format(value ?? 0),
    total: (total: Total | undefined) =>
      typeof total === 'object' ? `${plain.format(total.at_least)}+` : plain.format(total ?? 0),
    share: (part: number | undefined, whole: number | undefined) => (whole ? percent.format((part ?? 0) / whole) : '–'),
    decimal: (value: number | null | undefined) =>
      new Intl.NumberFormat(i18n.language, { maximumFractionDigits: 1 }).format(value ?? 0),
    money: (value: string | number | null | undefined, currency = 'EUR') =>
      new Intl.NumberFormat(i18n.language, { style: 'currency', currency }).format(Number(value ?? 0)),
    bytes: (value: number) => formatBytes(value, i18n.language),
  }
}

const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte'] as const

export function formatBytes(value: number, language: string): string {
  const power = Math.min(units.length - 1, Math.floor(Math.log(Math.max(value, 1)) / Math.log(1000)))
  return new Intl.NumberFormat(language, {
    style: 'unit',
    unit: units[power],
    unitDisplay: power === 0 ? 'long' : 'short',
    maximumFractionDigits: power === 0 ? 0 : 1,
  }).format(value / 1000 ** power)
}

/** The lower bound of a total, for plurals and comparisons. */
export const atLeast = (total: Total | undefined): number => (typeof total === 'object' ? total.at_least : (total ?? 0))
