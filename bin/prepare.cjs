/*
 * Makes a fresh clone ready: Node 24, then the libraries, then the web application. Each step looks whether its work is
 * done already; the first that is not takes a lock, so that two starts at once do the work one after the other.
 */
'use strict'

const { spawnSync } = require('node:child_process')
const { createHash } = require('node:crypto')
const fs = require('node:fs')
const path = require('node:path')
const { withLock } = require('./lock.cjs')

const wanted = [24, 11]

/** Answers the path of a Node that can run the program. */
exports.prepare = async function prepare(project, { web }) {
  const runtime = path.join(project, '.runtime')
  if (!findNode(runtime) || !librariesReady(project) || (web && !webReady(project))) {
    await withLock(runtime, function () {
      if (!findNode(runtime)) installNode(runtime)
      if (!librariesReady(project)) installLibraries(project, findNode(runtime))
      if (web && !webReady(project)) buildWeb(project, findNode(runtime))
    })
  }
  return findNode(runtime)
}

function findNode(runtime) {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major > wanted[0] || (major === wanted[0] && minor >= wanted[1])) return process.execPath
  const places = [path.join(runtime, 'node_modules', platformPackage()), path.join(runtime, 'node_modules', 'node')]
  return places.map((place) => path.join(place, 'bin', nodeName())).find((file) => fs.existsSync(file))
}

function nodeName() {
  return process.platform === 'win32' ? 'node.exe' : 'node'
}

function platformPackage() {
  return 'node-' + (process.platform === 'win32' ? 'win' : process.platform) + '-' + process.arch
}

/** The platform's package alone holds the whole program. The package `node` fetches it by an install script, which npm may be told not to run. */
function installNode(runtime) {
  say('Rapport runs on Node ' + wanted[0] + ' and this is ' + process.version + ': fetching a private copy (once).')
  fs.writeFileSync(path.join(runtime, 'package.json'), '{"private":true,"allowScripts":{"node":true}}\n')
  for (const name of [platformPackage(), 'node']) {
    npm(['install', '--no-save', '--prefix', runtime, name + '@' + wanted[0]], runtime, process.execPath)
    const node = findNode(runtime)
    if (node && spawnSync(node, ['--version']).status === 0) return
    fs.rmSync(path.join(runtime, 'node_modules'), { recursive: true, force: true })
  }
  throw new Error(
    'Node ' + wanted[0] + ' could not be fetched for this system. Install it (https://nodejs.org) and start again.',
  )
}

function librariesReady(project) {
  const folder = path.join(project, 'node_modules')
  // A link leads to the libraries of another working copy, whose business they are.
  if (fs.existsSync(folder) && fs.lstatSync(folder).isSymbolicLink()) return true
  const lock = fs.readFileSync(path.join(project, 'package-lock.json'))
  const stamp = path.join(folder, '.rapport-stamp')
  if (readText(stamp) === stampOf(lock)) return true
  if (!installedMatches(folder, JSON.parse(lock))) return false
  return writeStamp(stamp, stampOf(lock))
}

/** Whoever ran npm themselves need not wait for it again. npm notes what it installed in a lock file of its own. */
function installedMatches(folder, lock) {
  const noted = readText(path.join(folder, '.package-lock.json'))
  if (!noted) return false
  const installed = JSON.parse(noted).packages
  return Object.entries(lock.packages).every(function ([name, entry]) {
    if (name === '') return true
    return installed[name] ? installed[name].version === entry.version : entry.optional === true && !madeForUs(entry)
  })
}

/** Optional packages are other platforms' variants, and what those need. Ours (PostgreSQL among them) must be there. */
function madeForUs({ os, cpu, libc }) {
  return Boolean(os || cpu) && !libc && (!os || os.includes(process.platform)) && (!cpu || cpu.includes(process.arch))
}

function installLibraries(project, node) {
  say('Installing the libraries (about a minute, after a change of package-lock.json only).')
  const result = npm(
    ['ci', '--include=dev', '--include=optional', '--prefer-offline', '--no-audit', '--no-fund'],
    project,
    node,
  )
  if (result.status !== 0) throw new Error('npm could not install the libraries:\n' + result.output.slice(-3000))
  writeStamp(
    path.join(project, 'node_modules', '.rapport-stamp'),
    stampOf(fs.readFileSync(path.join(project, 'package-lock.json'))),
  )
}

function webReady(project) {
  if (!fs.existsSync(path.join(project, 'web', 'index.html'))) return true
  return readText(path.join(project, 'web', 'dist', '.stamp')) === webStamp(project)
}

function buildWeb(project, node) {
  say('Building the web application.')
  const args = [
    path.join(project, 'node_modules', 'vite', 'bin', 'vite.js'),
    'build',
    '--config',
    path.join('web', 'vite.config.ts'),
  ]
  // The stamp is taken before: a file changed while Vite runs leads to another build at the next start.
  const stamp = webStamp(project)
  const result = run(node, args, project, node)
  if (result.status !== 0) throw new Error('The web application could not be built:\n' + result.output.slice(-3000))
  writeStamp(path.join(project, 'web', 'dist', '.stamp'), stamp)
}

/** Contents, not dates: git sets those anew with every checkout. */
function webStamp(project) {
  const hash = createHash('sha256').update(fs.readFileSync(path.join(project, 'package-lock.json')))
  const walk = function (folder) {
    for (const entry of fs.readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const file = path.join(folder, entry.name)
      if (['dist', 'e2e', 'node_modules'].includes(entry.name) || /\.test\.tsx?$/.test(entry.name)) continue
      if (entry.isDirectory()) walk(file)
      else hash.update(file.slice(project.length)).update(fs.readFileSync(file))
    }
  }
  walk(path.join(project, 'web'))
  return hash.digest('hex')
}

/** The npm that started us, or the one in the PATH. */
function npm(args, cwd, node) {
  const ours = process.env.npm_execpath || ''
  return path.basename(ours) === 'npm-cli.js' ? run(node, [ours, ...args], cwd, node) : run('npm', args, cwd, node)
}

function run(command, args, cwd, node) {
  const search = path.dirname(node) + path.delimiter + (process.env.PATH || '')
  // What an outer npm says about itself is no setting for the one we start; the user's own settings lie in files.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^npm_(config_(global_)?prefix|config_local_prefix|lifecycle|package|config_omit)/i.test(name),
    ),
  )
  const result = spawnSync(command, args, {
    cwd,
    env: { ...env, PATH: search, NODE_ENV: '' },
    encoding: 'utf8',
    maxBuffer: 1e8,
    shell: process.platform === 'win32' && command === 'npm',
  })
  const output = result.error ? command + ': ' + result.error.message : (result.stdout || '') + (result.stderr || '')
  return { status: result.status, output }
}

function stampOf(lock) {
  return createHash('sha256')
    .update(lock)
    .update(process.platform + process.arch)
    .digest('hex')
}

function writeStamp(file, text) {
  try {
    fs.writeFileSync(file, text)
  } catch {
    // Somebody else's clone, ready but not ours to write to. It will be judged anew next time.
  }
  return true
}

function readText(file) {
  try {
    return fs.readFileSync(file, 'utf8')
  } catch {
    return null
  }
}

function say(text) {
  console.error(text)
}
