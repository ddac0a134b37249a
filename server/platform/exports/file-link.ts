/** Links to files that jobs made: good for an hour, for whoever has one, so that each is made anew and none is kept. */
import type { Services } from '../services.ts'
import { contentTypes } from '../tables-out/table.ts'

const linkLifeMs = 3_600_000

interface MadeFile {
  /** Null once it is deleted, or before it is there. */
  file_key: string | null
  file_name: string
  format: keyof typeof contentTypes
}

export async function linkToFile({ files }: Pick<Services, 'files'>, file: MadeFile): Promise<string | null> {
  if (!file.file_key) return null
  const type = contentTypes[file.format].split(';')[0]!
  return files.signedUrl(file.file_key, { expiresInMs: linkLifeMs, downloadName: file.file_name, type })
}
