/**
 * An object storage to test against: the one that S3_TEST_URL names, on loopback, with S3_TEST_ACCESS_KEY and S3_TEST_SECRET_KEY
 * (S3_TEST_REGION), or OpenStack Swift where it is installed. Tests make buckets of their own there.
 */
import { randomBytes } from 'node:crypto'
import { readEnv } from '../config.ts'
import { isSwiftInstalled, startSwift, type S3Server } from './swift.ts'

export type { S3Server }

/** How to get one; null where there is none, and then it says so: the tests that need one are skipped. */
export function findS3(): (() => Promise<S3Server>) | null {
  const { S3_TEST_URL, S3_TEST_ACCESS_KEY, S3_TEST_SECRET_KEY, S3_TEST_REGION } = readEnv()
  if (S3_TEST_URL && S3_TEST_ACCESS_KEY && S3_TEST_SECRET_KEY) {
    return async () => ({
      endpoint: S3_TEST_URL,
      accessKey: S3_TEST_ACCESS_KEY,
      secretKey: S3_TEST_SECRET_KEY,
      region: S3_TEST_REGION ?? 'us-east-1',
      [Symbol.asyncDispose]: async () => {},
    })
  }
  if (isSwiftInstalled()) return startSwift
  console.warn(
    'Skipped: no object storage. Name one in S3_TEST_URL, with S3_TEST_ACCESS_KEY and S3_TEST_SECRET_KEY, or install memcached, ' +
      'swift-proxy, swift-account, swift-container and swift-object.',
  )
  return null
}

export const newBucket = (): string => `rapport-${randomBytes(6).toString('hex')}`

/** What a configuration that keeps files there says. */
export function s3Environment(server: S3Server, bucket: string, endpoint = server.endpoint): Record<string, string> {
  return {
    MINIO_ENDPOINT: endpoint,
    MINIO_ACCESS_KEY: server.accessKey,
    MINIO_SECRET_KEY: server.secretKey,
    MINIO_REGION: server.region,
    MINIO_BUCKET: bucket,
  }
}
