/**
 * The variables of a canned reply: pure, no I/O. `{{contact.first_name}}` stands for a value, `{{default contact.first_name
 * "there"}}` says what to write where there is none; templates of mails have both in the same words. Values are plain text
 * and are never read as variables themselves.
 */
export const variableNames = [
  'contact.first_name',
  'contact.last_name',
  'contact.full_name',
  'contact.email',
  'contact.company',
  'contact.phone',
  'ticket.ticket_number',
  'ticket.subject',
  'ticket.category',
  'agent.name',
  'agent.email',
  'workspace.name',
] as const
export type VariableName = (typeof variableNames)[number]
export type Values = Record<VariableName, string>

export interface Fault {
  code: 'unknown_variable' | 'bad_variable'
  detail: string
}

interface Variable {
  name: VariableName
  instead: string
}

/** What is wrong with the variables of a text, in their order; empty where it can be rendered. */
export function faultsOf(content: string): Fault[] {
  return parse(content).flatMap((part) => (typeof part === 'object' && 'code' in part ? [part] : []))
}

/** The text with its values, and the names of variables that had neither a value nor words instead of it. */
export function render(content: string, values: Values): { content: string; missing: VariableName[] } {
  const missing = new Set<VariableName>()
  const words = parse(content).map((part) => {
    if (typeof part === 'string') return part
    // Checked when it was saved; a variable that is gone since then says nothing.
    if ('code' in part) return ''
    const value = values[part.name] || part.instead
    if (!value) missing.add(part.name)
    return value
  })
  return { content: words.join(''), missing: [...missing] }
}

/** Plain text, variables and faults by turns, in one linear pass. */
function parse(content: string): (string | Variable | Fault)[] {
  const parts: (string | Variable | Fault)[] = []
  let at = 0
  for (;;) {
    const start = content.indexOf('{{', at)
    parts.push(content.slice(at, start < 0 ? undefined : start))
    if (start < 0) return parts
    const end = content.indexOf('}}', start + 2)
    if (end < 0) {
      parts.push({ code: 'bad_variable', detail: 'A variable begins with {{ and is not closed by }}.' })
      return parts
    }
    parts.push(readVariable(content.slice(start + 2, end)))
    at = end + 2
  }
}

const plain = /^\s*([\w.]+)\s*$/
const withDefault = /^\s*default\s+([\w.]+)\s+"([^"{}]*)"\s*$/

function readVariable(inside: string): Variable | Fault {
  const [, name, instead = ''] = plain.exec(inside) ?? withDefault.exec(inside) ?? []
  if (name === undefined) {
    const detail = `{{${shorten(inside)}}} cannot be read. Write {{contact.first_name}}, or {{default contact.first_name "there"}}.`
    return { code: 'bad_variable', detail }
  }
  if (isKnown(name)) return { name, instead }
  return {
    code: 'unknown_variable',
    detail: `There is no variable ${shorten(name)}. Use one of ${variableNames.join(', ')}.`,
  }
}

function isKnown(name: string): name is VariableName {
  return (variableNames as readonly string[]).includes(name)
}

function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}
