/** What every format becomes: records of cells, each with its place, so that reading may stop anywhere and go on there. */

/** Characters of decoded text from its start (rows, in a spreadsheet), and the number of the line that begins there. */
export interface Place {
  offset: number
  line: number
}

export type RecordProblem = 'bad_quote' | 'record_too_long' | 'too_many_columns' | 'unreadable'

export interface FileRecord {
  cells: string[]
  /** Where it began. */
  line: number
  /** Where the next one begins. */
  next: Place
  problem: RecordProblem | null
}

export interface Splitter {
  /** Answers the records that `chunk` completed; blank ones are left out. */
  read(chunk: string, isLast: boolean): FileRecord[]
}

export const columnsMax = 500
/** As much of an unreadable record as its report keeps. */
export const keptLength = 2_000
