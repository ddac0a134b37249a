// A form is sent by a mutation; what the server refuses field by field is put under the fields it names.
import type { UseFormReturnType } from '@mantine/form'
import { useMutation } from '@tanstack/react-query'
import { ApiProblem } from '../api/client.ts'

type Submit<Values, Result> = {
  form: UseFormReturnType<Values>
  send: (values: Values) => Promise<Result>
  done: (result: Result, values: Values) => void | Promise<void>
}

export function useSubmit<Values extends Record<string, unknown>, Result>({
  form,
  send,
  done,
}: Submit<Values, Result>) {
  const mutation = useMutation({
    mutationFn: send,
    onSuccess: done,
    onError: (error) => showUnderFields(form, error),
  })
  const submit = form.onSubmit(
    (values) => mutation.mutate(values),
    () => queueMicrotask(focusFirstError),
  )
  return { submit, isSending: mutation.isPending, error: hasFieldErrors(form, mutation.error) ? null : mutation.error }
}

function showUnderFields<Values extends Record<string, unknown>>(
  form: UseFormReturnType<Values>,
  error: unknown,
): void {
  if (!(error instanceof ApiProblem)) return
  const known = error.errors.filter(({ pointer }) => fieldOf(pointer) in form.getValues())
  form.setErrors(Object.fromEntries(known.map(({ pointer, detail }) => [fieldOf(pointer), detail])))
  queueMicrotask(focusFirstError)
}

function hasFieldErrors<Values>(form: UseFormReturnType<Values>, error: unknown): boolean {
  return error instanceof ApiProblem && error.errors.length > 0 && Object.keys(form.errors).length > 0
}

const fieldOf = (pointer: string) => pointer.replace(/^\/(body\/)?/, '').split('/')[0] ?? ''

function focusFirstError(): void {
  requestAnimationFrame(() => document.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus())
}
