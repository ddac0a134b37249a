/**
 * The scaled storage: a bucket that speaks S3, such as MinIO's. A file goes up in parts as it streams, so that an upload holds
 * some megabytes and no more, and is seen only when its last part is there. Links are signed for the bucket itself; those that
 * live longer than five minutes are our own, because nobody takes a signature back.
 */
import { addAbortSignal, Readable } from 'node:stream'
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetBucketVersioningCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
  type CompletedPart,
  type GetObjectCommandOutput,
} from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import type { Logger } from 'pino'
import { assertKey, FilesUnavailable, type Files, type PutResult } from './files.ts'
import { contentDisposition, safeType, type FileLinks } from './links.ts'
import { createMeasure, TooManyBytes } from './measure.ts'

export interface S3Options {
  endpoint: string
  /** Where browsers reach the same bucket; links are signed for it. */
  publicEndpoint: string
  accessKey: string
  secretKey: string
  bucket: string
  region: string
  links: FileLinks
  log: Pick<Logger, 'info' | 'warn'>
  /** An upload that was begun longer ago, and not finished, belongs to a process that died. */
  staleMs?: number
  /** A reading is begun again when nothing comes for so long. */
  silenceMsMax?: number
}

/** The least that S3 takes for all parts but the last. It takes 10 000 of them: files of 50 GB. */
const partSizeBytes = 5 * 1024 * 1024
const linkMsMax = 5 * 60 * 1000
const pingTimeoutMs = 3_000

type Send = S3Client['send']
type Place = { Bucket: string; Key: string }

/** Asks for nothing before it is used, so that the program starts without the storage. */
export function createS3Files(options: S3Options): Files {
  const { bucket, links } = options
  const client = connect(options, options.endpoint)
  const signer = connect(options, options.publicEndpoint)
  const send = ((command: never, more: never) =>
    client.send(command, more).catch((error: unknown) => {
      throw toFailure(error, options)
    })) as Send
  let prepared: Promise<void> | null = null
  const prepare = (): Promise<void> =>
    (prepared ??= makeReady(send, options).catch((error: unknown) => {
      prepared = null
      throw error
    }))

  async function statOf(key: string) {
    assertKey(key)
    const found = await orNull(send(new HeadObjectCommand({ Bucket: bucket, Key: key })))
    if (!found) return null
    return { sizeBytes: found.ContentLength ?? 0, modifiedAt: found.LastModified ?? new Date(0) }
  }

  return {
    async put(key, content, { type, bytesMax, signal }) {
      assertKey(key)
      const source = content instanceof Uint8Array ? Readable.from([content]) : content
      if (signal) addAbortSignal(signal, source)
      try {
        await prepare()
        const result = await upload(send, { bucket, key, type: safeType(type), source, bytesMax, signal })
        if (result.ok) await requireSize(result.sizeBytes, (await statOf(key))?.sizeBytes)
        return result
      } catch (error) {
        source.destroy()
        throw error
      }

      async function requireSize(sent: number, stored: number | undefined) {
        if (sent === stored) return
        await send(new DeleteObjectCommand({ Bucket: bucket, Key: key }))
        throw new FilesUnavailable(`Of ${sent} bytes the file storage kept ${stored ?? 'none'}; the file was removed.`)
      }
    },
    async get(key) {
      assertKey(key)
      const place = { Bucket: bucket, Key: key }
      const found = await orNull(send(new GetObjectCommand(place)))
      return found ? readOn(send, place, found, options) : null
    },
    stat: statOf,
    exists: async (key) => (await statOf(key)) !== null,
    async delete(key) {
      assertKey(key)
      await orNull(send(new DeleteObjectCommand({ Bucket: bucket, Key: key })))
    },
    async *list(prefix) {
      const inner = prefix.replace(/\/$/, '')
      assertKey(inner)
      let next: string | undefined
      do {
        const page = await send(
          new ListObjectsV2Command({ Bucket: bucket, Prefix: `${inner}/`, ContinuationToken: next }),
        )
        for (const { Key } of page.Contents ?? []) if (Key) yield Key
        next = page.NextContinuationToken
      } while (next)
    },
    async signedUrl(key, signed) {
      assertKey(key)
      const { expiresInMs, downloadName, type = '' } = signed
      if (expiresInMs < 1000 || expiresInMs > linkMsMax) return links.make(key, signed)
      const command = new GetObjectCommand({
        Bucket: bucket,
        Key: key,
        ResponseContentType: safeType(type),
        ResponseContentDisposition: contentDisposition(downloadName),
        ResponseCacheControl: 'private, no-store',
      })
      return getSignedUrl(signer, command, { expiresIn: Math.floor(expiresInMs / 1000) })
    },
    async ping() {
      const abortSignal = AbortSignal.timeout(pingTimeoutMs)
      if (await orNull(send(new HeadBucketCommand({ Bucket: bucket }), { abortSignal }))) return
      prepared = null
      await prepare()
    },
    async close() {
      client.destroy()
      signer.destroy()
    },
  }
}

function connect({ region, accessKey, secretKey }: S3Options, endpoint: string): S3Client {
  return new S3Client({
    endpoint,
    region,
    credentials: { accessKeyId: accessKey, secretAccessKey: secretKey },
    forcePathStyle: true,
    // Other makers' storages do not know the checksums that the library would add; the signature covers each part.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    maxAttempts: 3,
    requestHandler: { connectionTimeout: 3_000, requestTimeout: 60_000, throwOnRequestTimeout: true },
  })
}

/** The bucket is made where it is missing; what killed processes left half sent is swept away. */
async function makeReady(send: Send, { bucket, log, staleMs = 24 * 60 * 60 * 1000 }: S3Options): Promise<void> {
  if (!(await orNull(send(new HeadBucketCommand({ Bucket: bucket }))))) {
    await send(new CreateBucketCommand({ Bucket: bucket })).catch((error: unknown) => {
      // Another process was faster.
      if (!(error instanceof FilesUnavailable && error.code === 'BucketAlreadyOwnedByYou')) throw error
    })
    log.info({ bucket }, 'made the bucket for files')
  }
  try {
    const { Status } = await send(new GetBucketVersioningCommand({ Bucket: bucket }))
    if (Status === 'Enabled') {
      log.warn(
        { bucket },
        'this bucket keeps old versions: what is deleted or erased stays in it. Switch versioning off.',
      )
    }
    await sweep(send, bucket, Date.now() - staleMs)
  } catch (error) {
    // Some storages know neither, or do not allow it; files can be kept there all the same.
    log.warn({ reason: (error as Error).message }, 'could not look after the bucket')
  }
}

/** MinIO forgets such uploads by itself, and lists none that are older than its last start; others keep, and bill, them. */
async function sweep(send: Send, bucket: string, before: number): Promise<void> {
  let more: { KeyMarker?: string; UploadIdMarker?: string } | null = {}
  while (more) {
    const page: Awaited<ReturnType<typeof listUploads>> = await listUploads(more)
    for (const { Key, UploadId, Initiated } of page.Uploads ?? []) {
      if (!Key || !UploadId || !Initiated || Initiated.getTime() > before) continue
      await orNull(send(new AbortMultipartUploadCommand({ Bucket: bucket, Key, UploadId })))
    }
    const { IsTruncated, NextKeyMarker, NextUploadIdMarker } = page
    more = IsTruncated && NextKeyMarker ? { KeyMarker: NextKeyMarker, UploadIdMarker: NextUploadIdMarker } : null
  }

  function listUploads(from: { KeyMarker?: string; UploadIdMarker?: string }) {
    return send(new ListMultipartUploadsCommand({ Bucket: bucket, ...from }))
  }
}

interface Upload {
  bucket: string
  key: string
  type: string
  source: Readable
  bytesMax: number
  signal: AbortSignal | undefined
}

/** What fits into one part goes in one request. */
async function upload(send: Send, { bucket, key, type, source, bytesMax, signal }: Upload): Promise<PutResult> {
  const place = { Bucket: bucket, Key: key }
  const cancel = signal ? { abortSignal: signal } : {}
  const { through, result } = createMeasure(bytesMax)
  const done: CompletedPart[] = []
  let UploadId: string | undefined
  try {
    for await (const { body, isLast } of partsOf(through(source))) {
      if (isLast && !UploadId) await send(new PutObjectCommand({ ...place, Body: body, ContentType: type }), cancel)
      else {
        UploadId ??= (await send(new CreateMultipartUploadCommand({ ...place, ContentType: type }), cancel)).UploadId
        const PartNumber = done.length + 1
        const { ETag } = await send(new UploadPartCommand({ ...place, UploadId, PartNumber, Body: body }), cancel)
        done.push({ ETag, PartNumber })
      }
    }
    if (UploadId) {
      await send(new CompleteMultipartUploadCommand({ ...place, UploadId, MultipartUpload: { Parts: done } }), cancel)
    }
    return { ok: true, ...result() }
  } catch (error) {
    // Where the storage does not hear of it, the sweep of a later start does it.
    if (UploadId) await send(new AbortMultipartUploadCommand({ ...place, UploadId })).catch(() => {})
    if (error instanceof TooManyBytes) return { ok: false, failed: 'too_large' }
    throw error
  }
}

/** Cuts a stream into parts; the last may be smaller, and is empty where the stream is. */
async function* partsOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<{ body: Buffer; isLast: boolean }> {
  let waiting: Uint8Array[] = []
  let sizeBytes = 0
  for await (const bytes of chunks) {
    for (let from = 0; from < bytes.length;) {
      if (sizeBytes === partSizeBytes) {
        yield { body: Buffer.concat(waiting), isLast: false }
        waiting = []
        sizeBytes = 0
      }
      const piece = bytes.subarray(from, from + partSizeBytes - sizeBytes)
      waiting.push(piece)
      sizeBytes += piece.length
      from += piece.length
    }
  }
  yield { body: Buffer.concat(waiting), isLast: true }
}

/**
 * A slow reader may find the line closed, and goes on from where it was, in the same version of the file. A line that breaks
 * again before another byte has come is an error of the storage.
 */
function readOn(send: Send, place: Place, first: GetObjectCommandOutput, options: S3Options): Readable {
  const { silenceMsMax = 60_000 } = options
  let body = hear(first)
  const stream = Readable.from(told(), { objectMode: false })
  // The connection is given back however the reading ends, also before it began.
  return stream.once('close', () => body.destroy())

  async function* told(): AsyncGenerator<Buffer> {
    let chunks = body.iterator()
    let readBytes = 0
    for (let before = -1; ;) {
      const timer = setTimeout(() => body.destroy(Object.assign(new Error(), { code: 'ETIMEDOUT' })), silenceMsMax)
      const next = await chunks
        .next()
        .catch((error: unknown) => toFailure(error, options))
        .finally(() => clearTimeout(timer))
      if (next instanceof Error) {
        if (readBytes === before) throw next
        before = readBytes
        const rest = { Range: `bytes=${readBytes}-`, IfMatch: first.ETag }
        body = hear(await send(new GetObjectCommand({ ...place, ...rest })))
        chunks = body.iterator()
      } else {
        if (next.done) return
        const chunk = next.value as Buffer
        readBytes += chunk.length
        yield chunk
      }
    }
  }
}

/** Errors are told by the reading; where nobody reads any more they must not end the program. */
function hear({ Body }: GetObjectCommandOutput): Readable {
  return (Body as Readable).on('error', () => {})
}

async function orNull<T>(asked: Promise<T>): Promise<T | null> {
  try {
    return await asked
  } catch (error) {
    if (error instanceof FilesUnavailable && absences.includes(error.code)) return null
    throw error
  }
}

const absences = ['NoSuchKey', 'NoSuchUpload', 'NotFound']

/**
 * Of the library's error only its name goes on: it carries the access key, the signature and what was signed. An abort is
 * the caller's own, and stays what it is.
 */
function toFailure(error: unknown, { endpoint, bucket }: S3Options): Error {
  const { name, code, $metadata } = error as { name: string; code?: string; $metadata?: { httpStatusCode?: number } }
  if (name === 'AbortError') return error as Error
  const status = $metadata?.httpStatusCode
  const what = status ? `${name}, ${status}` : (code ?? name)
  return new FilesUnavailable(`The file storage failed (${what}): ${wayOut()}`, name)

  function wayOut(): string {
    if (!status) return `nothing answers at MINIO_ENDPOINT, ${endpoint}. Is it running, and reachable from here?`
    if (name === 'NoSuchBucket') return `there is no bucket ${bucket} (MINIO_BUCKET).`
    if (status === 401 || status === 403) {
      return 'it does not let us in. Check MINIO_ACCESS_KEY, MINIO_SECRET_KEY, MINIO_REGION, and the rights of that key.'
    }
    if (status === 301 || status === 400) return 'is MINIO_REGION the region of the bucket?'
    return 'its own log says why.'
  }
}
