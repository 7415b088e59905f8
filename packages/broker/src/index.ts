/** Everything that others may call. Each name is listed by hand. */
export { type Admission, connectionNameOf } from "./callout/answer.ts"
export { permissionsOf } from "./callout/permissions.ts"
export type { ClientInfo, ServerIdentity } from "./callout/request.ts"
export {
  type ConnectAttempt,
  type Decision,
  type Responder,
  type ResponderOptions,
  startResponder,
} from "./callout/responder.ts"
export { type Command, commandSubjects, parseCommand } from "./commands.ts"
export { connectService, type ServiceOptions } from "./connection.ts"
export {
  type ConnectionEvent,
  connectionsOf,
  cutConnection,
  cutDevice,
  type LiveConnection,
  watchConnections,
} from "./connections.ts"
export { type BrokerHealth, healthOf } from "./health.ts"
export { maxHistoryMessages, maxMailboxMessages, maxPayloadBytes, maxSubscriptions, userJwtSeconds } from "./limits.ts"
export { createSeed, type Nkey, parseSeed } from "./nkey.ts"
export type { Listen } from "./server/configuration.ts"
export { type FindOptions, type FoundServer, findNatsServer } from "./server/find.ts"
export { type BrokerKeys, ensureBrokerKeys, readBrokerKeys } from "./server/key-files.ts"
export { type Broker, type BrokerSettings, startBroker, writeConfiguration } from "./server/process.ts"
export { isFitVersion, minimumVersion } from "./server/version.ts"
export type { CommitOutcome } from "./streams/commits.ts"
export { archiveOf, conversationOf, mailboxOf, type Place } from "./streams/layout.ts"
export type { Session } from "./streams/session.ts"
export {
  type BrokerStore,
  createBrokerStore,
  type Kept,
  type StoredMessage,
  type StoredPage,
  type StoreOptions,
} from "./streams/store.ts"
