/** The result of a report as rows for people: what a file or a printed page shows. */
import type { Cell, Column } from '#platform/tables-out/table.ts'
import type { Language } from './labels.ts'
import { word } from './labels.ts'
import type { ReportResult } from './run.ts'

type Group = ReportResult['groups'][number]
type Value = number | string | null

export interface ReportTable {
  columns: Column[]
  rows: Cell[][]
  totals: Cell[]
  /** What the rows do not say: that there is nothing, or more. */
  notes: string[]
}

export function toTable(result: ReportResult, language: Language): ReportTable {
  const isCompared = result.totals.previous !== null
  const groups: Column[] = result.groups.map(({ label }) => ({ header: label, kind: 'text' }))
  const measures = result.measures.flatMap(({ label, kind }): Column[] => {
    const column = { header: label, kind: kind === 'share' ? ('number' as const) : kind }
    return isCompared ? [column, { ...column, header: `${label} (${word('before', language)})` }] : [column]
  })
  // A report without groups is one line: its name stands where the groups would.
  const leading = groups.length ? groups : [{ header: '', kind: 'text' as const }]
  const cells = ({ values, previous }: { values: Value[]; previous: Value[] | null }) =>
    values.flatMap((value, index) => {
      const { kind } = result.measures[index]!
      const now = toCell(value, kind)
      return isCompared ? [now, toCell(previous?.[index] ?? null, kind)] : [now]
    })
  return {
    columns: [...leading, ...measures],
    rows: result.rows.map((row) => [
      ...row.groups.map((group, place) => groupText(result.groups[place]!, group, language)),
      ...cells(row),
    ]),
    totals: [word('total', language), ...leading.slice(1).map(() => null), ...cells(result.totals)],
    notes: notesOf(result, language),
  }
}

/** `2026 Q1` for a quarter, `20–40` for a band, a day for weeks and days. */
export function groupText(
  { kind, by, width }: Group,
  { key, label }: { key: string | null; label: string | null },
  language: Language,
): string {
  if (key === null) return word('none', language)
  if (kind === 'flag') return word(key === 'true' ? 'yes' : 'no', language)
  if (kind === 'band') return `${key}–${Number((Number(key) + (width ?? 0)).toFixed(6))}`
  if (kind !== 'time') return label ?? key
  const [year, month = ''] = key.split('-')
  if (by === 'year') return year!
  if (by === 'quarter') return `${year} Q${Math.ceil(Number(month) / 3)}`
  return by === 'month' ? `${year}-${month}` : key
}

function toCell(value: Value, kind: ReportResult['measures'][number]['kind']): Cell {
  return kind === 'time' && value !== null ? new Date(value) : value
}

function notesOf({ rows, groups, groups_total, totals, measures }: ReportResult, language: Language): string[] {
  if (groups.length) {
    if (!rows.length) return [word('nothing', language)]
    return groups_total > rows.length ? [`${word('more', language)} ${groups_total - rows.length}`] : []
  }
  const counted = measures.findIndex(({ name }) => name === 'count')
  return counted >= 0 && totals.values[counted] === 0 ? [word('nothing', language)] : []
}
