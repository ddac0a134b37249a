/**
 * Templates are Handlebars, read by Handlebars' parser and rendered by our own closures: strings only, own properties
 * only, a fixed set of helpers, no partials or decorators, and a bound on everything, so that any draft may be rendered
 * anywhere. What differs from Handlebars: a name without arguments is always data, and helpers are the ones listed in
 * `helpers.ts`.
 */
import Handlebars from 'handlebars'
import { compileProgram } from './compile.ts'
import { scanExpressions, sourceBytesMax } from './expressions.ts'
import { TemplateFault, type Fault } from './faults.ts'
import { toPlainText } from './plain-text.ts'
import { plainSettings, Run, type Hooks, type Settings } from './run.ts'

export interface Template {
  /** Throws RenderingStopped when it is too much work with this data. */
  render(data: unknown, settings?: Settings, hooks?: Hooks | null): Rendered
  /** Names at the root that it reads. */
  names: ReadonlySet<string>
}

export interface Rendered {
  text: string
  /** Whether the composer's end mark was passed. */
  ended: boolean
}

export type Mode = 'html' | 'text'

const { parse } = Handlebars.create()
const kept = new Map<string, Template | Fault>()
const keptCharactersMax = 16_000_000
let keptCharacters = 0

/** A template, or what is wrong with it. `own` also knows the blocks that only the composer of a mail writes. */
export function compileTemplate(source: unknown, mode: Mode, own = false): Template | Fault {
  if (typeof source !== 'string') return { line: 1, detail: 'A template is a text.' }
  const key = `${mode}${own ? '+' : '-'}${source}`
  const known = kept.get(key)
  if (known) {
    kept.delete(key)
    kept.set(key, known) // the youngest are at the end
    return known
  }
  const compiled = compileNow(source, mode, own)
  kept.set(key, compiled)
  keptCharacters += key.length
  for (const oldest of kept.keys()) {
    if (keptCharacters <= keptCharactersMax) break
    kept.delete(oldest)
    keptCharacters -= oldest.length
  }
  return compiled
}

export function isFault(compiled: Template | Fault): compiled is Fault {
  return 'detail' in compiled
}

function compileNow(source: string, mode: Mode, own: boolean): Template | Fault {
  if (Buffer.byteLength(source) > sourceBytesMax) return { line: 1, detail: 'A template has at most 512 KB.' }
  try {
    scanExpressions(source)
    const program = compileProgram(parse(source), { html: mode === 'html', own })
    return {
      names: program.names,
      render(data, settings = plainSettings, hooks = null) {
        const run = new Run(data, settings, hooks)
        program.write(run)
        return { text: run.out, ended: run.ended }
      },
    }
  } catch (error) {
    if (error instanceof TemplateFault) return { line: error.line, detail: error.message }
    return readParserError(error as Error & { lineNumber?: number })
  }
}

/** Handlebars says "Parse error on line 3:" with a drawing of the place; its first sentence is enough. */
function readParserError(error: Error & { lineNumber?: number }): Fault {
  const line = error.lineNumber ?? Number(/on line (\d+)/.exec(error.message)?.[1] ?? 1)
  const expected = /Expecting (.+), got '(\w+)'/.exec(error.message)
  if (expected?.[2] === 'EOF')
    return { line, detail: 'The template ends inside a block: an {{/if}} or {{/each}} is missing.' }
  const mismatch = /^(\S+) doesn't match (\S+)/.exec(error.message)
  if (mismatch) return { line, detail: `{{#${mismatch[1]}}} is closed by {{/${mismatch[2]}}}.` }
  return { line, detail: 'This expression cannot be read. Look at its braces, quotes and block ends.' }
}

export interface MailSource {
  subject: string
  html: string
  /** Made from the HTML where it is absent. */
  text?: string | null
}

export interface MailFault extends Fault {
  pointer: string
}

export interface MailTemplate {
  render(data: unknown, settings?: Settings): { subject: string; html: string; text: string }
}

/** The three parts of a mail, or everything that is wrong with them. */
export function compileMail(source: MailSource): { errors: MailFault[] } | MailTemplate {
  const subject = compileTemplate(source.subject, 'text')
  const html = compileTemplate(source.html, 'html')
  const errors = [...faultOf('/subject', subject), ...faultOf('/body_html', html)]
  const given = source.text ? compileTemplate(source.text, 'text') : null
  if (given) errors.push(...faultOf('/body_text', given))
  if (errors.length || isFault(subject) || isFault(html)) return { errors }
  const text = given ?? compileTemplate(toPlainText(source.html), 'text')
  if (isFault(text)) return { errors: faultOf('/body_html', text) }
  return {
    render: (data, settings) => ({
      subject: toSubject(subject.render(data, settings).text),
      html: html.render(data, settings).text,
      text: text.render(data, settings).text,
    }),
  }
}

export function faultOf(pointer: string, compiled: Template | Fault): MailFault[] {
  return isFault(compiled) ? [{ pointer, line: compiled.line, detail: compiled.detail }] : []
}

/** One line: what data carries in cannot become another header. */
export function toSubject(text: string): string {
  return text
    .replaceAll(/[\p{Cc}\u2028\u2029]+/gu, ' ')
    .trim()
    .slice(0, 500)
}
