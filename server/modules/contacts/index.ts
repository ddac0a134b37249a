/** What neighbours may use of contacts. */
export { recordConsent, type ConsentEntry, type ConsentOutcome, type ConsentSource } from './consent.ts'
export { recordEngagement, trackingAllowed, type EngagementEntry, type EngagementType } from './engagement.ts'
export { sendability, type Category, type Sendee, type Unsendable } from './sendability.ts'
export { preferencesToken, unsubscribeToken, type Holder } from './subscription-links.ts'
export { isSuppressed, lift, suppress } from './suppression.ts'
export { Audience, audienceFrom, countAudience, pageAudience, recipientsOf, type Recipient } from './audience.ts'
export { resolveContact, type Person, type Resolved } from './identity.ts'
export { recordInteractions, type InteractionType, type NewInteraction } from './interactions.ts'
