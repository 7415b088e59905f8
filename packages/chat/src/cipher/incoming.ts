/** A commit of another: read, told from repeats and forks, opened, judged, and only then applied. */
import { type Digest, digestOf, KezError } from "@kez/core"
import { type Commit, emptyPskIndex, type FramedContent, processPrivateMessage, processPublicMessage } from "ts-mls"
import { unprotectPrivateMessage } from "ts-mls/messageProtection.js"
import { unprotectPublicMessage } from "ts-mls/messageProtectionPublic.js"
import type { Chains, NamedHead } from "../chains.ts"
import { decodeStateEntry, type StateEntry } from "../conversation/state-log.ts"
import { credentialOf } from "../credential/check-device.ts"
import type { DeviceCredential } from "../credential/device-credential.ts"
import { maxHandshakeBytes, maxStateEntryBytes } from "../limits.ts"
import { decodeHandshake, openAttachment } from "./attachments.ts"
import { type AuthenticatedData, decodeAuthenticatedData } from "./authenticated-data.ts"
import { partsOfCommit } from "./commit-form.ts"
import { type JudgedCommit, judgeCommit, missingHeads } from "./commit-judge.ts"
import { epochOf, firstMark, type GroupRecord, leafAt, markOf, marksAfter } from "./group-record.ts"
import { assertGroup, assertTranscript } from "./messages.ts"
import { judgeAt, noLeaf, runLibrary, withConfig, withoutConfig } from "./mls-config.ts"
import { type Handshake, parseCommit } from "./mls-message.ts"
import { suite } from "./suite.ts"

export type Incoming =
  | {
      readonly kind: "applied"
      readonly record: GroupRecord
      readonly judged: JudgedCommit
      readonly isRemoved: boolean
    }
  | { readonly kind: "repeat"; readonly isPending: boolean }
  | { readonly kind: "ahead"; readonly epoch: number }
  | { readonly kind: "needs_chains"; readonly heads: readonly NamedHead[] }
  /** `commit`: a member made it, so that it stands in everybody's log, refused. */
  | { readonly kind: "refused"; readonly fault: KezError; readonly commit?: Digest; readonly by?: DeviceCredential }

const hint = "Nothing of it was applied. If the others go on without you, join again with this device."

export async function readCommit(record: GroupRecord, bytes: Uint8Array, chains: Chains): Promise<Incoming> {
  try {
    const { mls, attached } = decodeHandshake(bytes, "the commit", maxStateEntryBytes)
    const handshake = parseCommit(mls, maxHandshakeBytes)
    const data = decodeAuthenticatedData(handshake.data)
    const commit = digestOf(mls)
    return (
      (await placeOf(record, { handshake, data, commit })) ??
      (await openCommit(record, { handshake, data, commit, attached, chains }))
    )
  } catch (fault) {
    if (fault instanceof KezError) return { kind: "refused", fault }
    throw fault
  }
}

interface Received {
  readonly handshake: Handshake
  readonly data: AuthenticatedData
  readonly commit: Digest
}

/** What its epoch says already; undefined for a commit of the epoch in force that was not seen. */
async function placeOf(record: GroupRecord, { handshake, data, commit }: Received): Promise<Incoming | undefined> {
  const { groupId, epoch: bigEpoch } = framingOf(handshake)
  assertGroup({ groupId }, record.log.group)
  const epoch = Number(bigEpoch)
  if (commit === record.pending?.digest) return { kind: "repeat", isPending: true }
  if (epoch > epochOf(record.state)) return { kind: "ahead", epoch }
  const mark = markOf(record, epoch)
  if (mark?.endedBy === commit || mark?.refused.includes(commit) === true) return { kind: "repeat", isPending: false }
  assertTranscript(record, epoch, data)
  if (epoch === epochOf(record.state)) return undefined
  if (mark === undefined) {
    throw new KezError("chat.epoch", `Cannot judge the commit: its epoch ${epoch} is too long ago`, { hint })
  }
  await assertFromMember(record, handshake, epoch)
  throw new KezError("chat.fork", `Cannot accept the commit: another one ended epoch ${epoch} here`, {
    hint: "The server shows members different conversations. Compare safety codes; then join again.",
  })
}

/** Bytes that no member made are no second history: only where the keys are gone they must be taken for one. */
async function assertFromMember({ state }: GroupRecord, handshake: Handshake, epoch: number): Promise<void> {
  const past = state.historicalReceiverData.get(BigInt(epoch))
  if (past === undefined || handshake.by === "newcomer") return
  await runLibrary(unopened, noLeaf, () => unprotectMember({ ...past, message: handshake.message }))
}

const unopened = { code: "chat.decrypt", cannot: "Cannot open the commit", hint } as const

async function openCommit(
  record: GroupRecord,
  received: Received & { readonly attached: Uint8Array; readonly chains: Chains },
): Promise<Incoming> {
  const { handshake, data, commit, attached, chains } = received
  const content = await runLibrary(unopened, noLeaf, () => contentOf(record, handshake))
  const missing = missingHeads(data, chains)
  if (missing.length > 0) return { kind: "needs_chains", heads: missing }
  const entry = await entryOf(record, attached)
  const committer = content.sender.senderType === "member" ? content.sender.leafIndex : undefined
  const by = committerOf(record, content.commit, committer)
  try {
    const parts = partsOfCommit(content.commit, handshake.by)
    const judged = judgeCommit(record, { parts, data, committer, entry }, chains)
    return await apply(record, { handshake, commit, judged })
  } catch (fault) {
    if (!(fault instanceof KezError)) throw fault
    return { kind: "refused", fault, commit, ...(by === undefined ? {} : { by }) }
  }
}

type CommitContent = FramedContent & { readonly commit: Commit }

async function contentOf({ state }: GroupRecord, handshake: Handshake): Promise<CommitContent> {
  const { keySchedule, groupContext, ratchetTree, secretTree } = state
  const { content } =
    handshake.by === "member"
      ? (await unprotectMember({ secretTree, ratchetTree, groupContext, ...keySchedule, message: handshake.message }))
          .content
      : await unprotectPublicMessage(keySchedule.membershipKey, groupContext, ratchetTree, handshake.message, suite)
  if (content.contentType === "commit") return content
  throw new KezError("chat.commit", "Cannot accept the commit: it holds something else", { hint })
}

type MemberSecrets = Pick<GroupRecord["state"], "secretTree" | "ratchetTree" | "groupContext"> & {
  readonly senderDataSecret: Uint8Array
  readonly message: Extract<Handshake, { by: "member" }>["message"]
}

function unprotectMember({ senderDataSecret, message, secretTree, ratchetTree, groupContext }: MemberSecrets) {
  const { keyRetentionConfig } = noLeaf.config
  return unprotectPrivateMessage(
    senderDataSecret,
    message,
    secretTree,
    ratchetTree,
    groupContext,
    keyRetentionConfig,
    suite,
  )
}

async function entryOf({ state }: GroupRecord, attached: Uint8Array): Promise<StateEntry | undefined> {
  return attached.length === 0 ? undefined : decodeStateEntry(await openAttachment(state, "state", attached))
}

/** For the refusal's sake: who made it, as far as that can be said. */
function committerOf({ state }: GroupRecord, commit: Commit, index: number | undefined): DeviceCredential | undefined {
  const leaf = index === undefined ? commit.path?.leafNode : leafAt(state.ratchetTree, index)
  try {
    return leaf === undefined ? undefined : credentialOf(leaf)
  } catch (error) {
    if (error instanceof KezError) return undefined
    throw error
  }
}

async function apply(
  record: GroupRecord,
  {
    handshake,
    commit,
    judged,
  }: { readonly handshake: Handshake; readonly commit: Digest; readonly judged: JudgedCommit },
): Promise<Incoming> {
  const judge = judgeAt(judged.judgedAt)
  const text = { code: "chat.commit", cannot: "Cannot apply the commit", hint } as const
  const before = withConfig(record.state, judge)
  const { newState } = await runLibrary(text, judge, async () =>
    handshake.by === "member"
      ? await processPrivateMessage(before, handshake.message, emptyPskIndex, suite)
      : await processPublicMessage(before, handshake.message, emptyPskIndex, suite),
  )
  const state = withoutConfig(newState)
  const isRemoved = state.groupActiveState.kind !== "active"
  const { log, heads } = judged
  const marks = isRemoved ? record.marks : marksAfter(record.marks, commit, firstMark(state, log))
  return { kind: "applied", record: { state, log, heads, marks }, judged, isRemoved }
}

function framingOf(handshake: Handshake): { readonly groupId: Uint8Array; readonly epoch: bigint } {
  return handshake.by === "member" ? handshake.message : handshake.message.content
}
