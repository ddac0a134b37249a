/** What neighbours may use of contacts. */
export { getContact } from './contacts.ts'
export { viewContact, type ContactView } from './contact-view.ts'
export { recordConsent, type ConsentEntry, type ConsentOutcome, type ConsentSource } from './consent.ts'
export { recordEngagement, trackingAllowed, type EngagementEntry, type EngagementType } from './engagement.ts'
export { sendability, type Category, type Sendee, type Unsendable } from './sendability.ts'
export { preferencesToken, readUnsubscribeToken, unsubscribeToken, type Holder } from './subscription-links.ts'
export { unsubscribe } from './public-subscription.ts'
export { isSuppressed, lift, suppress } from './suppression.ts'
export {
  amongAudience,
  Audience,
  audienceFrom,
  checkAudience,
  countAudience,
  pageAudience,
  recipientsOf,
  type Recipient,
} from './audience.ts'
export {
  namedContacts,
  resolveContact,
  resolveContacts,
  type NamedContact,
  type Person,
  type Resolved,
} from './identity.ts'
export { recordInteractions, type InteractionType, type NewInteraction } from './interactions.ts'
export { html, showPage } from './pages/page.ts'
export { invalidLinkPage } from './pages/subscription-pages.ts'
export { chooseLanguage, type Language } from './texts.ts'
export { createList } from './lists.ts'
export { createTag } from './tags.ts'
export {
  hasContacts,
  importFile,
  keepFile,
  seedContacts,
  type ConsentSeed,
  type ContactSeed,
  type ContactsSeed,
  type MembershipSeed,
  type NoteSeed,
} from './seeding.ts'
