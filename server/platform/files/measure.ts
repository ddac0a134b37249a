// What is learnt of a file while it streams by: its size, its hash, and that it is larger than it may be.
import { createHash } from 'node:crypto'
import type { StoredFile } from './files.ts'

export class TooManyBytes extends Error {}

/** `through` throws TooManyBytes at the first chunk that is too much; `result` is right once the stream has ended. */
export function createMeasure(bytesMax: number) {
  const hash = createHash('sha256')
  let sizeBytes = 0
  return {
    async *through(chunks: AsyncIterable<Uint8Array | string>): AsyncGenerator<Uint8Array> {
      for await (const chunk of chunks) {
        const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk
        sizeBytes += bytes.length
        if (sizeBytes > bytesMax) throw new TooManyBytes()
        hash.update(bytes)
        yield bytes
      }
    },
    result: (): StoredFile => ({ sizeBytes, sha256: hash.digest('hex') }),
  }
}
