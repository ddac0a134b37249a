// The port that looks at files for malware. "Clean" is said only by a scanner that has read the whole file; whatever goes
// wrong on the way is "unavailable", and whoever asks keeps the file in quarantine until somebody has answered.
import type { Readable } from 'node:stream'

export type ScanResult =
  | { verdict: 'clean' }
  | { verdict: 'infected'; signature: string }
  /** There is no scanner here. */
  | { verdict: 'not_scanned' }
  | { verdict: 'unavailable'; reason: string }

export type Scanner = {
  /** Reads the content to its end, or as far as the verdict needs; never throws. */
  scan(content: Readable): Promise<ScanResult>
}

/** Where no scanner is configured: says so, and reads nothing. */
export function createNoScanner(): Scanner {
  return {
    async scan(content) {
      // Still opening, it fails when its file is deleted meanwhile: that is nobody's error any more.
      content.on('error', () => {})
      content.destroy()
      return { verdict: 'not_scanned' }
    },
  }
}
