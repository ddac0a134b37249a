/** How pictures and uploaded files go: those of a row after its commit, by the job; those that have no row yet, at once. */
import { fileRemoval } from '#platform/files/removal.ts'

export const { job: removeFilesJob, discard: discardFiles } = fileRemoval('contacts.remove_files', [
  'avatars',
  'imports',
])
