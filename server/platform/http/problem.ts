/** The one place where errors become replies: RFC 9457 problem documents, without stack, SQL or path. */
import { STATUS_CODES } from 'node:http'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import type { ErrorObject } from 'ajv'
import { RapportError, type InputError } from '../errors.ts'
import { FilesUnavailable } from '../files/files.ts'

interface ProblemDocument {
  type: string
  title: string
  status: number
  detail: string
  code: string
  request_id: string
  errors?: InputError[]
}

export function replyWithProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const problem = toProblem(error, request)
  if (problem.status >= 500) request.log.error({ err: error }, 'a request failed')
  const retryAfterSeconds = error instanceof RapportError ? error.retryAfterSeconds : undefined
  if (retryAfterSeconds !== undefined || problem.status === 503) {
    void reply.header('retry-after', String(Math.max(1, Math.ceil(retryAfterSeconds ?? 5))))
  }
  sendProblem(reply, problem)
}

export function sendProblem(reply: FastifyReply, problem: ProblemDocument): void {
  void reply
    .code(problem.status)
    .header('content-type', 'application/problem+json; charset=utf-8')
    .header('cache-control', 'no-store')
    .serializer((body: unknown) => JSON.stringify(body))
    .send(problem)
}

export function problemOf(
  request: FastifyRequest,
  status: number,
  code: string,
  detail: string,
  errors?: InputError[],
): ProblemDocument {
  const title = STATUS_CODES[status] ?? 'Error'
  return { type: 'about:blank', title, status, detail, code, request_id: request.id, ...(errors ? { errors } : {}) }
}

function toProblem(error: unknown, request: FastifyRequest): ProblemDocument {
  if (error instanceof RapportError) {
    return { ...problemOf(request, error.status, error.code, error.message, error.errors), ...error.more }
  }
  if (error instanceof FilesUnavailable) {
    return problemOf(request, 503, 'files_unavailable', 'The file storage does not answer. Try again in a moment.')
  }
  const known = error as Partial<FastifyError> & { validation?: ErrorObject[]; validationContext?: string }
  if (known.validation) {
    const errors = known.validation.slice(0, errorsMax).map((issue) => inputError(issue, known.validationContext))
    const detail = errors.map((issue) => `${issue.pointer}: ${issue.detail}`).join(' ')
    return problemOf(request, 422, 'invalid', detail, errors)
  }
  const fromDatabase = databaseProblem(known, request)
  if (fromDatabase) return fromDatabase
  const clientFault = known.code ? clientFaults[known.code] : undefined
  if (clientFault) return problemOf(request, ...clientFault)
  const status = known.statusCode ?? 500
  if (status < 500 && known.code?.startsWith('FST_')) {
    return problemOf(request, status, 'unreadable', known.message ?? 'The request cannot be read.')
  }
  if (brokenForm.test(known.message ?? '')) {
    return problemOf(request, 400, 'unreadable', 'The form ends too early, or its boundary cannot be read.')
  }
  return problemOf(request, 500, 'internal', 'Something went wrong on our side; the log has this request_id.')
}

/** The reader of forms gives no codes: a form that is cut off, and a boundary that is missing or longer than it takes. */
const brokenForm =
  /^(Unexpected end of multipart data|(Part|Preamble) terminated early|Multipart: Boundary not found|The needle cannot )/

/** A form has fewer fields; whoever sends ten thousand wrong items learns enough from these. */
const errorsMax = 50

const clientFaults: Record<string, [status: number, code: string, detail: string]> = {
  FST_ERR_CTP_BODY_TOO_LARGE: [413, 'too_large', 'The body is larger than this address takes.'],
  FST_REQ_FILE_TOO_LARGE: [413, 'too_large', 'The file is larger than this address takes.'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [415, 'unsupported_media_type', 'Send JSON, with Content-Type: application/json.'],
  FST_ERR_CTP_EMPTY_JSON_BODY: [400, 'unreadable', 'The body is empty, though its Content-Type promises JSON.'],
  FST_ERR_CTP_INVALID_JSON_BODY: [400, 'unreadable', 'The body is not JSON.'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: [400, 'unreadable', 'Content-Length and the body do not agree.'],
  FST_ERR_BAD_URL: [400, 'unreadable', 'The address has a % that is not followed by a character.'],
  FST_ERR_MAX_PARAM_LENGTH: [414, 'too_long', 'The address is too long.'],
  FST_INVALID_MULTIPART_CONTENT_TYPE: [415, 'unsupported_media_type', 'Send the file as multipart/form-data.'],
}

/** What the database refuses because of the input or of its own state, wherever a door did not already say it better. */
function databaseProblem(error: { code?: string; message?: string }, request: FastifyRequest): ProblemDocument | null {
  const code = error.code ?? ''
  switch (code) {
    case '22P05': // untranslatable character
    case '22021': // a byte sequence, such as NUL, that text cannot hold
      return problemOf(request, 422, 'invalid', 'The text has a character (such as NUL) that cannot be stored.')
    case '22P02': // half of a surrogate pair in JSON
      return problemOf(request, 422, 'invalid', 'The text has a character that cannot be stored.')
    case '22003':
    case '22007':
    case '22008':
      return problemOf(request, 422, 'invalid', 'A number or date is out of range.')
    case '40001':
    case '40P01':
      return problemOf(request, 409, 'concurrent_change', 'Somebody changed the same thing at that moment. Try again.')
  }
  if (!isUnreachable(code, error.message ?? '')) return null
  return problemOf(request, 503, 'database_unavailable', 'The database does not answer. Try again in a moment.')
}

/** Connection faults (class 08), too many connections, shutting down, and what the driver says without a code. */
function isUnreachable(code: string, message: string): boolean {
  const known = ['53300', '57P01', '57P02', '57P03', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ENOTFOUND', 'ETIMEDOUT']
  if (code.startsWith('08') || known.includes(code)) return true
  return /^(Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error)/.test(
    message,
  )
}

function inputError(issue: ErrorObject, part = 'body'): InputError {
  const parameters = issue.params as Record<string, unknown>
  const missing = issue.keyword === 'required' ? `/${escaped(parameters.missingProperty)}` : ''
  const unknown = issue.keyword === 'additionalProperties' ? `/${escaped(parameters.additionalProperty)}` : ''
  const path = `${issue.instancePath}${missing}${unknown}`.slice(0, 500)
  const pointer = part === 'querystring' ? `?${path.slice(1)}` : path
  const [code, detail] = explain(issue, parameters)
  return { pointer, code, detail }
}

/** A name as a step of a JSON pointer. */
function escaped(name: unknown): string {
  return String(name).replaceAll('~', '~0').replaceAll('/', '~1')
}

function explain(issue: ErrorObject, parameters: Record<string, unknown>): [code: string, detail: string] {
  switch (issue.keyword) {
    case 'required':
      return ['required', 'This field is required.']
    case 'additionalProperties':
      return ['unknown_field', 'There is no such field here, or it is not yours to set.']
    case 'enum':
      return ['not_allowed', `Use one of ${(parameters.allowedValues as unknown[]).map(String).join(', ')}.`]
    case 'type':
      return ['type', `This must be ${[parameters.type].flat().join(' or ')}.`]
    case 'format':
      return ['format', `This is not a valid ${String(parameters.format)}.`]
    case 'maxLength':
      return ['too_long', `At most ${String(parameters.limit)} characters.`]
    case 'minLength':
      return ['too_short', `At least ${String(parameters.limit)} characters.`]
    case 'minimum':
      return ['too_small', `At least ${String(parameters.limit)}.`]
    case 'maximum':
      return ['too_large', `At most ${String(parameters.limit)}.`]
    case 'maxItems':
      return ['too_many', `At most ${String(parameters.limit)} items.`]
    case 'minItems':
      return ['too_few', `At least ${String(parameters.limit)} items.`]
    default:
      return [issue.keyword, `This ${issue.message ?? 'is not acceptable'}.`]
  }
}
