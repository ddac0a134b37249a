/** What a report can be built of, as its builder shows it. */
import { Type, type Static } from 'typebox'
import type { Tx } from '#platform/db/db.ts'
import { OneOf } from '#platform/http/shapes.ts'
import { customFieldDefinitions } from '../fields/fields.ts'
import { customPrefix } from '../rules/custom.ts'
import type { Field } from '../rules/field.ts'
import { fields } from '../rules/fields.ts'
import { measureKinds, type MeasureKind } from './definition.ts'
import { dimensionNames, findReportField, kindOf, scalarKey } from './dimensions.ts'
import { fieldLabel, type Language } from './labels.ts'
import { customDefinitions } from './plan.ts'

export const ReportFields = Type.Object({
  fields: Type.Array(
    Type.Object({
      field: Type.String(),
      label: Type.String(),
      group: Type.Boolean({ description: 'Whether contacts can be grouped by it' }),
      kind: Type.Unsafe<string | null>({
        type: ['string', 'null'],
        description: 'As a group: text, flag (yes or no), time (takes `by`), band (takes `width`)',
      }),
      measures: Type.Array(OneOf(measureKinds), { description: 'What can be measured of it' }),
      period: Type.Boolean({ description: 'Whether it can be the time of the period' }),
    }),
  ),
})

export async function reportFields(tx: Tx, language: Language): Promise<Static<typeof ReportFields>> {
  const definitions = await customDefinitions(tx)
  const custom = (await customFieldDefinitions(tx)).flatMap(
    ({ key }) => findReportField(`${customPrefix}${key}`, definitions) ?? [],
  )
  const known = [...fields.values(), ...custom].map((field) => entryOf(field, language))
  const domain = {
    field: 'email_domain',
    label: fieldLabel('email_domain', null, language),
    group: true,
    kind: 'text',
    measures: [],
    period: false,
  }
  return { fields: [...known, domain].filter(({ group, measures, period }) => group || measures.length || period) }
}

function entryOf(field: Field, language: Language) {
  const group = field.group === 'custom' ? kindOf(field) !== null : dimensionNames.includes(field.name)
  return {
    field: field.name,
    label: fieldLabel(field.name, field.label ?? null, language),
    group,
    kind: group ? kindOf(field) : null,
    measures: measuresOf(field),
    period: field.type === 'datetime' || field.type === 'date',
  }
}

function measuresOf(field: Field): MeasureKind[] {
  if (field.type === 'number') return ['sum', 'avg', 'min', 'max']
  if (field.type === 'datetime') return ['min', 'max']
  return scalarKey(field) ? ['distinct'] : []
}
