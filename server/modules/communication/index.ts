/** What neighbours, and the app that mounts it, may use of communication. */
export { createSandboxStore } from './sandbox.ts'
export { createCampaign, launchCampaign } from './campaigns.ts'
export { seedLedger, seedPastCampaign, seedSandbox, type DeliverySeed, type PastCampaign } from './seeding.ts'
export { createTemplate } from './templates.ts'
