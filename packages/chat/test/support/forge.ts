/** Commits and Welcomes that no honest client makes: by a member who drives the MLS library himself. */

import {
  type ClientConfig,
  type CreateCommitResult,
  createCommit,
  encodeMlsMessage,
  type GroupState,
  type KeyPackage,
  type Proposal,
} from "ts-mls"
import { headOf } from "../../src/chains.ts"
import { encodeHandshake, sealAttachment } from "../../src/cipher/attachments.ts"
import { type AuthenticatedData, encodeAuthenticatedData } from "../../src/cipher/authenticated-data.ts"
import { type GroupRecord, transcriptOf } from "../../src/cipher/group-record.ts"
import { noLeaf } from "../../src/cipher/mls-config.ts"
import type { MlsGroup } from "../../src/cipher/mls-group.ts"
import { decodeRecord } from "../../src/cipher/saved-group.ts"
import { suite } from "../../src/cipher/suite.ts"
import { encodeStateEntry, type StateEntry } from "../../src/conversation/state-log.ts"
import { bytes, now, type Person } from "./world.ts"

/** Accepts every credential. */
export const credulous: ClientConfig = { ...noLeaf.config, authService: { validateCredential: async () => true } }

export interface Forgery {
  readonly proposals?: readonly Proposal[]
  /** Whose heads are named. */
  readonly concerns: readonly Person[]
  readonly data?: Partial<AuthenticatedData>
  readonly entry?: StateEntry
  /** What he changes in his state first. */
  readonly change?: (state: GroupState) => GroupState
}

export interface Forged {
  readonly message: Uint8Array
  readonly made: CreateCommitResult
  readonly record: GroupRecord
}

export async function forgeCommit(by: MlsGroup, forgery: Forgery): Promise<Forged> {
  const record = decodeRecord(by.save())
  const { proposals = [], concerns, data, entry, change = (state: GroupState) => state } = forgery
  const authenticatedData = encodeAuthenticatedData({
    state: record.log.digest,
    transcript: transcriptOf(record.state),
    at: now,
    heads: concerns.map(({ replay }) => headOf(replay)),
    ...data,
  })
  const state = { ...change(record.state), clientConfig: credulous }
  const options = { extraProposals: [...proposals], authenticatedData, ratchetTreeExtension: true }
  const made = await createCommit({ state, cipherSuite: suite }, options)
  const attached =
    entry === undefined ? new Uint8Array() : await sealAttachment(record.state, "state", bytes(encodeStateEntry(entry)))
  return { message: encodeHandshake({ mls: encodeMlsMessage(made.commit), attached }), made, record }
}

export const addOf = (keyPackage: KeyPackage): Proposal => ({ proposalType: "add", add: { keyPackage } })
export const removeOf = (removed: number): Proposal => ({ proposalType: "remove", remove: { removed } })
