import type { en } from './en.ts'

/** Every text of the English catalogue, and the plural forms that English lacks (`_few` in Romanian, `_many` in French). */
export type Texts = {
  [Section in keyof typeof en]: { [Key in keyof (typeof en)[Section]]: string } & {
    [key: `${string}_few` | `${string}_many`]: string
  }
}
