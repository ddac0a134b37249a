/** What is wrong with a template, as a value that the editor shows beside the line. */

export interface Fault {
  /** Counted from 1. */
  line: number
  detail: string
}

/** Thrown inside the compiler only; whoever compiles gets its fault as a value. */
export class TemplateFault extends Error {
  readonly line: number
  constructor(line: number, detail: string) {
    super(detail)
    this.line = line
  }
}

/** A template that is well written, and too much work with the data it was given. The mail of that person fails. */
export class RenderingStopped extends Error {
  readonly code: 'too_much_work' | 'too_long'
  constructor(code: 'too_much_work' | 'too_long') {
    super(
      code === 'too_long'
        ? 'The template writes more than 2 MB with this data.'
        : 'The template loops too often with this data.',
    )
    this.code = code
  }
}
