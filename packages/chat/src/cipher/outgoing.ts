/** Making a commit. It is judged as every receiver will judge it, before anybody sees it. */
import { type Digest, digestOf, KezError, type Signer } from "@kez/core"
import { type CreateCommitResult, createCommit, encodeMlsMessage, type GroupState, type Proposal } from "ts-mls"
import { encodeText } from "../bytes.ts"
import { type Chains, chainOf, headOf, type NamedHead } from "../chains.ts"
import { continueState, encodeStateEntry, type StateEntry, signNextState } from "../conversation/state-log.ts"
import { type DeviceCredential, encodeCredential } from "../credential/device-credential.ts"
import { type VerifiedKeyPackage, verifyKeyPackage } from "../credential/key-package.ts"
import { encodeHandshake, sealAttachment } from "./attachments.ts"
import { type AuthenticatedData, encodeAuthenticatedData } from "./authenticated-data.ts"
import { assertPath, type CommitParts } from "./commit-form.ts"
import { type JudgedCommit, judgeCommit } from "./commit-judge.ts"
import { nextGeneration, withUsed } from "./generations.ts"
import type { CommitRequest } from "./group-cipher.ts"
import {
  devicesOf,
  firstMark,
  type GroupRecord,
  leafAt,
  marksAfter,
  ownIndexOf,
  type PendingCommit,
  transcriptOf,
} from "./group-record.ts"
import { encodeJoinBundle } from "./join-bundle.ts"
import { judgeAt, runLibrary, withConfig, withoutConfig } from "./mls-config.ts"
import { suite } from "./suite.ts"

export interface OutgoingPorts {
  readonly chains: Chains
  /** Unix seconds. */
  readonly now: number
  readonly self: DeviceCredential
  /** The device's own key, for states. */
  readonly signer: Signer
}

export interface MadeCommit {
  /** The record with the commit pending; the generation that encrypted it is used up, whatever becomes of it. */
  readonly record: GroupRecord
  readonly pending: PendingCommit
  readonly judged: JudgedCommit
}

export async function makeCommit(
  record: GroupRecord,
  request: CommitRequest,
  ports: OutgoingPorts,
): Promise<MadeCommit> {
  if (request.renew !== undefined && (request.add ?? []).length > 0) {
    throw new KezError("usage", "Cannot renew the credential while adding: a commit that only adds has no new leaf")
  }
  const added = await verifyAll(request.add ?? [], ports)
  const removed = (request.remove ?? []).map((device) => deviceNamed(record.state, device))
  const entry = await nextEntry(record, request, ports)
  const data = dataOf(record, entry, { ports, concerned: [ports.self, ...added, ...removed].map(({ chain }) => chain) })
  const parts = {
    adds: added.map(({ keyPackage }) => ({ proposalType: "add" as const, add: { keyPackage } })),
    removes: removed.map(({ index }) => ({ proposalType: "remove" as const, remove: { removed: index } })),
  }
  const question = { data, committer: ownIndexOf(record.state), entry }
  const state = request.renew === undefined ? record.state : withOwnCredential(record.state, request.renew)
  // Judged before it is made, with the leaf that its path would have: what others refuse is not even signed.
  const leaf = leafAt(state.ratchetTree, ownIndexOf(state))
  const judged = judgeCommit(record, { ...question, parts: { ...parts, leaf } }, ports.chains)
  const made = await runCreate(state, [...parts.adds, ...parts.removes], { data, judged })
  assertMade(made, state, { ...parts, leaf: newLeafOf(made, state) })
  return finish(record, made, { judged, entry, extra: request.extra })
}

async function verifyAll(keyPackages: readonly Uint8Array[], { chains, now }: OutgoingPorts) {
  const verified: (VerifiedKeyPackage & { readonly chain: Digest })[] = []
  for (const bytes of keyPackages) {
    const one = await verifyKeyPackage(bytes, { chains, now })
    verified.push({ ...one, chain: one.credential.chain })
  }
  return verified
}

function deviceNamed(state: GroupState, device: string): { readonly index: number; readonly chain: Digest } {
  const found = devicesOf(state.ratchetTree).find(({ credential }) => credential.device === device)
  if (found === undefined) throw new KezError("chat.commit", "Cannot remove the device: it is not in the conversation")
  return { index: found.index, chain: found.credential.chain }
}

async function nextEntry(
  { log }: GroupRecord,
  { change }: CommitRequest,
  { self, signer, now }: OutgoingPorts,
): Promise<StateEntry | undefined> {
  return change === undefined ? undefined : signNextState(log, change, { chain: self.chain, signer, now })
}

function dataOf(
  record: GroupRecord,
  entry: StateEntry | undefined,
  { ports, concerned }: { readonly ports: OutgoingPorts; readonly concerned: readonly Digest[] },
): AuthenticatedData {
  const { chains, now } = ports
  const judge = { chains, head: (chain: Digest) => chainOf(chains, chain).head.digest }
  const log = entry === undefined ? record.log : continueState(record.log, entry, judge)
  const heads: NamedHead[] = [...new Set(concerned)].map((chain) => headOf(chainOf(chains, chain)))
  return { state: log.digest, transcript: transcriptOf(record.state), at: now, heads }
}

function runCreate(
  state: GroupState,
  extraProposals: Proposal[],
  { data, judged }: { readonly data: AuthenticatedData; readonly judged: JudgedCommit },
): Promise<CreateCommitResult> {
  const judge = judgeAt(judged.judgedAt)
  const text = { code: "chat.commit", cannot: "Cannot make the commit", hint: "Nothing was sent." } as const
  const authenticatedData = encodeAuthenticatedData(data)
  const context = { state: withConfig(state, judge), cipherSuite: suite }
  return runLibrary(text, judge, () =>
    createCommit(context, { extraProposals, authenticatedData, ratchetTreeExtension: true }),
  )
}

/** The leaf that the path gave us, or undefined where the commit has no path. */
function newLeafOf({ newState }: CreateCommitResult, before: GroupState) {
  const leaf = leafAt(newState.ratchetTree, ownIndexOf(newState))
  return leaf === leafAt(before.ratchetTree, ownIndexOf(before)) ? undefined : leaf
}

/** A version of the library left out the path of a single removal: what was made is looked at, not believed. */
function assertMade({ commit }: CreateCommitResult, state: GroupState, parts: CommitParts): void {
  assertPath(parts)
  if (commit.wireformat !== "mls_private_message" || commit.privateMessage.epoch !== state.groupContext.epoch) {
    throw new KezError("internal", "Cannot make the commit: the library made another one than asked for")
  }
}

async function finish(
  record: GroupRecord,
  made: CreateCommitResult,
  { judged, entry, extra }: { judged: JudgedCommit; entry: StateEntry | undefined; extra: Uint8Array | undefined },
): Promise<MadeCommit> {
  const mls = encodeMlsMessage(made.commit)
  const digest = digestOf(mls)
  const none = new Uint8Array()
  const attached =
    entry === undefined ? none : await sealAttachment(record.state, "state", encodeText(encodeStateEntry(entry)))
  const state = withoutConfig(made.newState)
  const next: GroupRecord = {
    state,
    log: judged.log,
    heads: judged.heads,
    marks: marksAfter(record.marks, digest, firstMark(state, judged.log)),
  }
  const welcome = made.welcome === undefined ? undefined : await welcomeOf(made, next, extra ?? none)
  const pending = {
    digest,
    message: encodeHandshake({ mls, attached }),
    next,
    ...(welcome === undefined ? {} : { welcome }),
  }
  return { record: { ...record, state: await withOwnHandshakeUsed(record.state), pending }, pending, judged }
}

async function welcomeOf({ welcome }: CreateCommitResult, next: GroupRecord, extra: Uint8Array): Promise<Uint8Array> {
  if (welcome === undefined) throw new KezError("internal", "Cannot make the Welcome: there is none")
  const mls = encodeMlsMessage({ version: "mls10", wireformat: "mls_welcome", welcome })
  const bundle = encodeJoinBundle(next.log, next.heads.values(), extra)
  return encodeHandshake({ mls, attached: await sealAttachment(next.state, "join", bundle) })
}

/** If this commit is refused and the epoch stays, the next one must not be encrypted with the same generation. */
async function withOwnHandshakeUsed(state: GroupState): Promise<GroupState> {
  const leaf = ownIndexOf(state)
  const generation = nextGeneration(state.secretTree, leaf, "handshake")
  return { ...state, secretTree: await withUsed(state.secretTree, { leaf, generation, use: "handshake" }) }
}

/** The library makes the new leaf of a path from the old one: a renewed credential is put there for it to take. */
function withOwnCredential(state: GroupState, credential: DeviceCredential): GroupState {
  const own = ownIndexOf(state)
  const ratchetTree = state.ratchetTree.map((node, i) =>
    i === 2 * own && node?.nodeType === "leaf"
      ? { ...node, leaf: { ...node.leaf, credential: basic(credential) } }
      : node,
  )
  return { ...state, ratchetTree }
}

function basic(credential: DeviceCredential) {
  return { credentialType: "basic" as const, identity: encodeCredential(credential) }
}
