import type { en } from './en.ts'

/** Every text of a part of the English catalogue, and the plural forms that English lacks (`_few` in Romanian, `_many` in French). */
export type Translated<English> = {
  [Section in keyof English]: { [Key in keyof English[Section]]: string } & {
    [key: `${string}_few` | `${string}_many`]: string
  }
}
export type Texts = Translated<typeof en>
