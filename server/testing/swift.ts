/**
 * OpenStack Swift with its S3 API, as Debian packages it: a real object storage, of one copy, on loopback, in a temporary
 * folder, with ports and a secret of its own. It checks signatures, and knows multipart uploads and presigned links.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import { freePorts } from './free-ports.ts'

export interface S3Server extends AsyncDisposable {
  endpoint: string
  accessKey: string
  secretKey: string
  region: string
}

type Kind = 'account' | 'container' | 'object'

const kinds: Kind[] = ['account', 'container', 'object']
const memcached = '/usr/bin/memcached'
const programs = [memcached, ...[...kinds, 'proxy'].map((kind) => `/usr/bin/swift-${kind}-server`)]

export const isSwiftInstalled = (): boolean => programs.every((program) => existsSync(program))

export async function startSwift(): Promise<S3Server> {
  const folder = await mkdtemp(path.join(tmpdir(), 'rapport-swift-'))
  const [proxyPort, cachePort, ...ports] = await freePorts(2 + kinds.length)
  const secretKey = randomBytes(24).toString('hex')
  const placed = kinds.map((kind, index) => ({ kind, port: ports[index]! }))
  await mkdir(path.join(folder, 'devices', 'd1'), { recursive: true })
  await writeFile(path.join(folder, 'swift.conf'), swiftConf)
  for (const { kind, port } of placed) await writeFile(confOf(folder, kind), serverConf(folder, kind, port))
  await writeFile(confOf(folder, 'proxy'), proxyConf(folder, { port: proxyPort!, cachePort: cachePort! }, secretKey))
  await promisify(execFile)('/usr/bin/python3', ['-c', ringsProgram, folder, JSON.stringify(placed)])
  const errors = await open(path.join(folder, 'errors.log'), 'a')
  const run = (program: string, args: string[]): ChildProcess => {
    const child = spawn(program, args, { stdio: ['ignore', 'ignore', errors.fd] })
    child.unref()
    return child
  }
  const processes = [
    run(memcached, ['-l', '127.0.0.1', '-p', String(cachePort), '-u', userInfo().username]),
    ...[...kinds, 'proxy'].map((kind) => run(`/usr/bin/swift-${kind}-server`, [confOf(folder, kind)])),
  ]
  const killAll = (): void => processes.forEach((child) => child.kill('SIGKILL'))
  process.once('exit', killAll)
  const stop = async (): Promise<void> => {
    await Promise.all([...processes.map(end), errors.close()])
    process.off('exit', killAll)
    await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  }
  try {
    await untilAllAnswer([proxyPort!, ...ports], processes)
  } catch (error) {
    const told = await readFile(path.join(folder, 'errors.log'), 'utf8')
    await stop()
    throw new Error(`Swift does not start. ${told.slice(-2000)}`, { cause: error })
  }
  return {
    endpoint: `http://127.0.0.1:${proxyPort}`,
    accessKey: 'rapport:files',
    secretKey,
    region: 'us-east-1',
    [Symbol.asyncDispose]: stop,
  }
}

const swiftConf = `[swift-hash]
swift_hash_path_prefix = rapport
swift_hash_path_suffix = tests
[storage-policy:0]
name = default
default = yes
`

const common = (folder: string, port: number) => `[DEFAULT]
bind_ip = 127.0.0.1
bind_port = ${port}
workers = 0
user = ${userInfo().username}
swift_dir = ${folder}
devices = ${path.join(folder, 'devices')}
mount_check = false
disable_fallocate = true
log_level = ERROR
`

const serverConf = (folder: string, kind: Kind, port: number) => `${common(folder, port)}
[pipeline:main]
pipeline = healthcheck ${kind}-server
[app:${kind}-server]
use = egg:swift#${kind}
[filter:healthcheck]
use = egg:swift#healthcheck
`

const filters = [
  'catch_errors',
  'gatekeeper',
  'healthcheck',
  'memcache',
  'listing_formats',
  'bulk',
  's3api',
  'tempauth',
  'slo',
  'versioned_writes',
  'symlink',
]

function proxyConf(
  folder: string,
  { port, cachePort }: { port: number; cachePort: number },
  secretKey: string,
): string {
  const settings: Record<string, string> = {
    memcache: `memcache_servers = 127.0.0.1:${cachePort}\n`,
    s3api: 'location = us-east-1\nmax_upload_part_num = 10000\n',
    tempauth: `user_rapport_files = ${secretKey} .admin\n`,
    versioned_writes: 'allow_object_versioning = true\n',
  }
  const sections = filters.map((name) => `[filter:${name}]\nuse = egg:swift#${name}\n${settings[name] ?? ''}`)
  return `${common(folder, port)}
[pipeline:main]
pipeline = ${filters.join(' ')} proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
${sections.join('')}`
}

const ringsProgram = `
import json, sys
from swift.common.ring import RingBuilder
folder, placed = sys.argv[1], json.loads(sys.argv[2])
for each in placed:
    ring = RingBuilder(1, 1, 0)
    ring.add_dev({'id': 0, 'region': 1, 'zone': 1, 'weight': 1, 'ip': '127.0.0.1', 'port': each['port'], 'device': 'd1'})
    ring.rebalance()
    ring.get_ring().save('%s/%s.ring.gz' % (folder, each['kind']))
`

const confOf = (folder: string, kind: string): string => path.join(folder, `${kind}-server.conf`)

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.ref()
  await new Promise((resolve) => {
    child.once('exit', resolve)
    child.kill('SIGKILL')
  })
}

/** Python takes a second or two to start, several on a busy machine. */
async function untilAllAnswer(ports: number[], processes: ChildProcess[]): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt++) {
    const gone = processes.find(({ exitCode }) => exitCode !== null)
    if (gone) throw new Error(`${gone.spawnfile} ended with ${gone.exitCode} before it answered.`)
    const healthy = await Promise.all(
      ports.map((port) =>
        fetch(`http://127.0.0.1:${port}/healthcheck`).then(
          (reply) => reply.ok,
          () => false,
        ),
      ),
    )
    if (healthy.every(Boolean)) return
    await pause(100)
  }
  throw new Error('Swift does not answer after 30 seconds.')
}
