// The embedded storage: a folder. Reading goes through flydrive; writing is our own, because it must be atomic: into a side
// folder, to disk, then renamed into place.
import { randomUUID } from 'node:crypto'
import { access, constants, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Disk } from 'flydrive'
import { FSDriver } from 'flydrive/drivers/fs'
import { assertKey, type Files, type PutResult } from './files.ts'
import type { FileLinks } from './links.ts'
import { createMeasure, TooManyBytes } from './measure.ts'

const INCOMING = '.incoming'
const STALE_MS = 24 * 60 * 60 * 1000

/** Makes the folder where it is missing, and sweeps away what a killed process left half written. */
export async function createLocalFiles(options: { folder: string; links: FileLinks }): Promise<Files> {
  const { folder, links } = options
  const incoming = join(folder, INCOMING)
  await mkdir(incoming, { recursive: true, mode: 0o700 })
  await sweep(incoming)
  const disk = new Disk(new FSDriver({ location: folder, visibility: 'private' }))

  async function statOf(key: string) {
    assertKey(key)
    try {
      const found = await stat(join(folder, key))
      return found.isFile() ? { sizeBytes: found.size, modifiedAt: found.mtime } : null
    } catch (error) {
      if (isAbsence(error)) return null
      throw error
    }
  }

  return {
    async put(key, content, { bytesMax, signal }) {
      assertKey(key)
      const temporary = join(incoming, randomUUID())
      try {
        const result = await write(
          temporary,
          content instanceof Uint8Array ? Readable.from([content]) : content,
          bytesMax,
          signal,
        )
        if (result.ok) {
          const place = join(folder, key)
          await mkdir(dirname(place), { recursive: true, mode: 0o700 })
          await rename(temporary, place)
        }
        return result
      } finally {
        await rm(temporary, { force: true })
      }
    },
    async get(key) {
      // Asked first, because a stream would report an absent file only when it is read.
      return (await statOf(key)) ? disk.getStream(key) : null
    },
    stat: statOf,
    exists: async (key) => (await statOf(key)) !== null,
    async delete(key) {
      assertKey(key)
      await disk.delete(key)
    },
    async *list(prefix) {
      const inner = prefix.replace(/\/$/, '')
      assertKey(inner)
      if (!(await stat(join(folder, inner)).catch(() => null))?.isDirectory()) return
      const { objects } = await disk.listAll(inner, { recursive: true })
      for (const object of objects) if (object.isFile) yield object.key
    },
    async signedUrl(key, signed) {
      assertKey(key)
      return links.make(key, signed)
    },
    ping: () => access(folder, constants.R_OK | constants.W_OK),
    async close() {},
  }
}

async function write(path: string, source: Readable, bytesMax: number, signal?: AbortSignal): Promise<PutResult> {
  const { through, result } = createMeasure(bytesMax)
  let writing = Promise.resolve()
  const target = (chunks: AsyncIterable<Uint8Array>) => (writing = writeAll(path, chunks))
  try {
    await (signal ? pipeline(source, through, target, { signal }) : pipeline(source, through, target))
  } catch (error) {
    if (error instanceof TooManyBytes) return { ok: false, failed: 'too_large' }
    throw error
  } finally {
    // A pipeline that is given up does not wait: the file might be made after the caller has taken it away.
    await writing.catch(() => {})
  }
  return { ok: true, ...result() }
}

/** To disk: what is renamed into place is whole after a power cut too. */
async function writeAll(path: string, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  await using file = await open(path, 'wx', 0o600)
  for await (const chunk of chunks) await file.writeFile(chunk)
  await file.sync()
}

async function sweep(incoming: string): Promise<void> {
  for (const name of await readdir(incoming)) {
    const path = join(incoming, name)
    const found = await stat(path).catch(() => null)
    // Younger ones may belong to another process that shares the folder.
    if (found && Date.now() - found.mtimeMs > STALE_MS) await rm(path, { force: true })
  }
}

function isAbsence(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')
}
