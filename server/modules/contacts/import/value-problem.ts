/** What is wrong with a cell, and what was expected: a value, because a failed row is no failed import. */
export class ValueProblem {
  readonly code: string
  readonly detail: string
  constructor(code: string, detail: string) {
    this.code = code
    this.detail = detail
  }
}
