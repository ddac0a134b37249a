/** What neighbours may use of contacts. */
export { Audience, audienceFrom, countAudience, pageAudience, recipientsOf, type Recipient } from './audience.ts'
export { resolveContact, type Person, type Resolved } from './identity.ts'
export { recordInteractions, type InteractionType, type NewInteraction } from './interactions.ts'
