// Moments are told relative to now, with the exact time on hover and for screen readers in `datetime`.
import { useTranslation } from 'react-i18next'

const steps: [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['week', 604_800],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
]

export function Moment({ at, exact = false }: { at: string | null | undefined; exact?: boolean }) {
  const { i18n } = useTranslation()
  if (!at) return <span className="none">–</span>
  const absolute = formatMoment(at, i18n.language)
  return (
    <time dateTime={at} title={absolute} className="moment">
      {exact ? absolute : formatRelative(at, i18n.language)}
    </time>
  )
}

export function formatMoment(at: string, language: string): string {
  return new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' }).format(new Date(at))
}

export function formatRelative(at: string, language: string, now = Date.now()): string {
  const seconds = Math.round((new Date(at).getTime() - now) / 1000)
  const format = new Intl.RelativeTimeFormat(language, { numeric: 'auto' })
  for (const [unit, size] of steps) {
    if (Math.abs(seconds) >= size) return format.format(Math.round(seconds / size), unit)
  }
  return format.format(0, 'second')
}
