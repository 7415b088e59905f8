/** One message: encrypted in the epoch in force, opened in it or in one of the two before. RFC 9420 §6.3 */
import { type Digest, KezError } from "@kez/core"
import type { GroupState, PrivateMessage } from "ts-mls"
import { checkCanSendApplicationMessages } from "ts-mls/clientState.js"
import { equalBytes } from "../bytes.ts"
import { credentialOf } from "../credential/check-device.ts"
import type { DeviceCredential } from "../credential/device-credential.ts"
import { maxContentBytes, maxMessageBytes, maxSkippedMessages } from "../limits.ts"
import { type AuthenticatedData, decodeAuthenticatedData, encodeAuthenticatedData } from "./authenticated-data.ts"
import { nextGeneration, standingOfGeneration, type UsedGeneration } from "./generations.ts"
import { epochOf, type GroupRecord, groupIdOf, leafAt, markOf, ownDeviceOf, ownIndexOf } from "./group-record.ts"
import { noLeaf, runLibrary, withConfig } from "./mls-config.ts"
import { parseApplicationMessage } from "./mls-message.ts"
import { openApplication, openSenderData, sealApplication } from "./private-message.ts"

export interface EncryptedMessage {
  readonly bytes: Uint8Array
  readonly state: GroupState
  readonly used: UsedGeneration
}

export async function encryptMessage(
  state: GroupState,
  content: Uint8Array,
  data: AuthenticatedData,
): Promise<EncryptedMessage> {
  if (content.length > maxContentBytes) {
    throw new KezError("limit.size", `Cannot send the message: expected at most ${maxContentBytes} bytes`, {
      hint: "Send it in parts, or as a file.",
    })
  }
  const leaf = ownIndexOf(state)
  const generation = nextGeneration(state.secretTree, leaf, "application")
  checkCanSendApplicationMessages(withConfig(state, noLeaf))
  const epoch = { ...state, senderDataSecret: state.keySchedule.senderDataSecret }
  const authenticatedData = encodeAuthenticatedData(data)
  const { bytes, tree } = await sealApplication(epoch, {
    ...{ leaf, signKey: state.signaturePrivateKey, content, authenticatedData },
  })
  return {
    bytes,
    state: { ...state, secretTree: tree },
    used: { epoch: epochOf(state), leaf, generation, use: "application" },
  }
}

export interface DecryptedMessage {
  readonly kind: "message"
  readonly state: GroupState
  readonly used: UsedGeneration
  readonly content: Uint8Array
  readonly sender: DeviceCredential
  readonly data: AuthenticatedData
}

/** More before it are missing than keys are skipped for. Who sent it is what it says itself: any member could have written that. */
interface FarMessage {
  readonly kind: "far"
  readonly device: string
  readonly ahead: number
  readonly fault: KezError
}

type Decrypted =
  | DecryptedMessage
  | FarMessage
  | { readonly kind: "own" }
  | { readonly kind: "ahead"; readonly epoch: number }

/** Secrets of the epoch of a message: of the one in force, or kept of one before. */
type EpochSecrets = Pick<GroupState, "secretTree" | "ratchetTree" | "groupContext"> & {
  readonly senderDataSecret: Uint8Array
}

/** Throws why it does not open. Nothing of `record` changes. */
export async function decryptMessage(record: GroupRecord, bytes: Uint8Array): Promise<Decrypted> {
  const message = parseApplicationMessage(bytes, maxMessageBytes)
  const data = decodeAuthenticatedData(message.authenticatedData)
  assertGroup(message, record.log.group)
  const epoch = Number(message.epoch)
  if (epoch > epochOf(record.state)) return { kind: "ahead", epoch }
  const secrets = secretsOf(record.state, epoch)
  assertTranscript(record, epoch, data)
  const text = {
    code: "chat.decrypt",
    cannot: "Cannot open the message",
    hint: "It was altered on its way, or is not from a member. Its sender is asked for it again.",
  } as const
  return runLibrary(text, noLeaf, () => open(record, message, { data, secrets, epoch }))
}

async function open(
  record: GroupRecord,
  message: PrivateMessage,
  { data, secrets, epoch }: { data: AuthenticatedData; secrets: EpochSecrets; epoch: number },
): Promise<Decrypted> {
  const { secretTree, ratchetTree, groupContext, senderDataSecret } = secrets
  const from = await openSenderData(message, senderDataSecret)
  const leaf = leafAt(ratchetTree, from.leaf)
  if (leaf === undefined) throw decryptFault("its sender is not in the conversation")
  const { device } = credentialOf(leaf)
  if (device === ownDeviceOf(record.state)?.device) return { kind: "own" }
  const standing = standingOfGeneration(secretTree, from.leaf, from.generation)
  if (standing === "used") throw repeated()
  if (standing === "far") {
    const ahead = from.generation - nextGeneration(secretTree, from.leaf, "application")
    return { kind: "far", device, ahead, fault: farFault() }
  }
  const publicKey = leaf.signaturePublicKey
  const { content, tree } = await openApplication({ groupContext, secretTree }, message, { from, publicKey })
  const sender = credentialOf(leaf)
  assertNamed(record, epoch, { data, sender })
  return {
    kind: "message",
    state: withSecretTree(record.state, epoch, tree),
    used: { epoch, leaf: from.leaf, generation: from.generation, use: "application" },
    content,
    sender,
    data,
  }
}

export function assertGroup({ groupId }: { readonly groupId: Uint8Array }, group: Digest): void {
  if (equalBytes(groupId, groupIdOf(group))) return
  throw new KezError("chat.epoch", "Cannot open it: it is of another conversation")
}

/** The sender follows another history of the conversation: nothing of it could ever be opened here. */
export function assertTranscript(record: GroupRecord, epoch: number, { transcript }: AuthenticatedData): void {
  const mark = markOf(record, epoch)
  if (mark === undefined || mark.transcript === transcript) return
  throw new KezError(
    "chat.fork",
    `Cannot open it: in epoch ${epoch} its sender has another history of the conversation`,
    {
      hint: "The server may show members different conversations. Compare safety codes; then join again.",
    },
  )
}

function secretsOf(state: GroupState, epoch: number): EpochSecrets {
  if (epoch === epochOf(state)) return { ...state, senderDataSecret: state.keySchedule.senderDataSecret }
  const past = state.historicalReceiverData.get(BigInt(epoch))
  if (past !== undefined) return past
  throw new KezError(
    "chat.epoch",
    `Cannot open the message: its epoch ${epoch} is too long ago, and its keys are gone`,
    {
      hint: "Its sender is asked for it again; your archive may hold it.",
    },
  )
}

function repeated(): KezError {
  return new KezError("chat.repeat", "Cannot open the message: it was opened before", {
    hint: "It was delivered twice. Nothing is lost.",
  })
}

function farFault(): KezError {
  return new KezError("chat.gap", `Cannot open the message: more than ${maxSkippedMessages} before it are missing`, {
    hint: "Fetch what is missing first, in its order.",
  })
}

/** The state it was made under is the one of its epoch, and the one head that it names is of its sender's chain. */
function assertNamed(
  record: GroupRecord,
  epoch: number,
  { data, sender }: { readonly data: AuthenticatedData; readonly sender: DeviceCredential },
): void {
  if (markOf(record, epoch)?.state !== data.state) {
    throw new KezError("chat.state", "Cannot accept the message: it was made under another state of the conversation", {
      hint: "Its sender or this device has not got the same members, roles and name. Compare safety codes.",
    })
  }
  if (data.heads.length !== 1 || data.heads[0]?.chain !== sender.chain) {
    throw decryptFault("it does not name the head of its sender's chain")
  }
}

function withSecretTree(state: GroupState, epoch: number, secretTree: GroupState["secretTree"]): GroupState {
  if (epoch === epochOf(state)) return { ...state, secretTree }
  const past = state.historicalReceiverData.get(BigInt(epoch))
  if (past === undefined) return state
  const kept = new Map(state.historicalReceiverData).set(BigInt(epoch), { ...past, secretTree })
  return { ...state, historicalReceiverData: kept }
}

function decryptFault(found: string): KezError {
  return new KezError("chat.decrypt", `Cannot open the message: ${found}`, {
    hint: "It is shown to nobody. If it comes again, tell the others in the conversation.",
  })
}
