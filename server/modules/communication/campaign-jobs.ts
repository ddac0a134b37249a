/** Work that campaigns have done in the background, besides the engine itself. */
import { systemActor } from '#platform/actor.ts'
import type { JobDefinition } from '#platform/jobs/job.ts'
import { launchJob, launchScheduled } from './campaigns.ts'
import { freezeAudience } from './engine/freeze.ts'
import { sendTestMails } from './preview.ts'

const launch: JobDefinition = {
  kind: launchJob,
  retryLimit: 10,
  concurrency: 2,
  run: ({ data, workspaceId, transaction }) =>
    transaction((tx) =>
      launchScheduled(tx, systemActor(workspaceId), String(data.campaign_id), String(data.scheduled_at)),
    ),
}

export const campaignJobs = [freezeAudience, launch, sendTestMails]
