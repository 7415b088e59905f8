/** How a device comes into a conversation: makes it, is welcomed, joins by itself, or comes back after a restart. */
import { type Digest, digestOf, KezError } from "@kez/core"
import { createGroup, encodeMlsMessage, type GroupInfo, type GroupState, type RatchetTree, type Welcome } from "ts-mls"
import { ratchetTreeFromExtension } from "ts-mls/groupInfo.js"
import { chainOf, headOf } from "../chains.ts"
import { roleOf, type StateBody } from "../conversation/state-body.ts"
import { createStateLog, type StateLog, verifyStateLog } from "../conversation/state-log.ts"
import { credentialOf } from "../credential/check-device.ts"
import type { DeviceCredential } from "../credential/device-credential.ts"
import { deviceSigner } from "../credential/device-keys.ts"
import { createKeyPackage, type OwnKeyPackage } from "../credential/key-package.ts"
import { digestOfBytes } from "../digests.ts"
import { maxGroupDevices, maxHandshakeBytes, maxJoinBundleBytes } from "../limits.ts"
import { decodeHandshake, encodeHandshake, openAttachment } from "./attachments.ts"
import { encodeAuthenticatedData } from "./authenticated-data.ts"
import { enterByWelcome, enterFromOutside } from "./enter-group.ts"
import { decodeUsedGeneration, withJournal } from "./generations.ts"
import type { StoredGroup } from "./group-cipher.ts"
import { devicesOf, firstMark, type GroupRecord, groupIdOf, leafAt, marksAfter, transcriptOf } from "./group-record.ts"
import { assertBundle, decodeJoinBundle, headsByChain } from "./join-bundle.ts"
import { judgeTree, noLeaf, runLibrary, withoutConfig } from "./mls-config.ts"
import { type CipherPorts, MlsGroup } from "./mls-group.ts"
import { parseGroupInfo, parseWelcome } from "./mls-message.ts"
import { decodeRecord, encodeRecord } from "./saved-group.ts"
import { suite } from "./suite.ts"

const hint = "Ask to be added again."
const joining = { code: "chat.commit", cannot: "Cannot join the conversation", hint } as const

/** A new conversation with this device alone in it. The others are added by the first commit. */
export async function createConversation(
  body: StateBody,
  credential: DeviceCredential,
  ports: CipherPorts,
): Promise<MlsGroup> {
  const { chains, keys } = ports
  const now = ports.now()
  const log = await createStateLog(body, { chain: credential.chain, signer: deviceSigner(keys), now })
  const { keyPackage, secrets } = await createKeyPackage({ keys, credential, now })
  const made = await createGroup(groupIdOf(log.group), keyPackage, secrets, [], suite, noLeaf.config)
  const head = headOf(chainOf(chains, credential.chain))
  return begin({ state: withoutConfig(made), log, heads: headsByChain([head]), marks: [] }, ports)
}

export interface Joined {
  readonly cipher: MlsGroup
  /** What the engine of the adding client sent along. */
  readonly extra: Uint8Array
  /** The key package that was used: a one-time one is deleted now, a last-resort one replaced. */
  readonly used: OwnKeyPackage
  /** Who signed the group info of the Welcome. */
  readonly by?: DeviceCredential
}

/**
 * Joins by a Welcome to one of our key packages that are not used yet. Every device of the tree is looked up in its chain; every state
 * of the conversation is verified. Throws `chat.key_package` where none of ours was used (or it was used before).
 */
export async function joinConversation(
  bytes: Uint8Array,
  keyPackages: readonly OwnKeyPackage[],
  ports: CipherPorts,
): Promise<Joined> {
  const { mls, attached } = decodeHandshake(bytes, "the Welcome", maxJoinBundleBytes)
  const welcome = parseWelcome(mls, maxHandshakeBytes)
  const used = keyPackageFor(welcome, keyPackages)
  const judge = judgeTree(ports.chains)
  const { state, signer } = await runLibrary(joining, judge, () =>
    enterByWelcome(welcome, used, { treeOf: readTree, judge }),
  )
  const bundle = decodeJoinBundle(await openAttachment(state, "join", attached))
  const log = verifyStateLog(bundle.entries, groupOf(state), ports.chains)
  membersOnly(state.ratchetTree, log)
  const cipher = await begin({ state, log, heads: headsByChain(bundle.heads), marks: [] }, ports)
  const leaf = leafAt(state.ratchetTree, signer)
  const by = leaf === undefined ? undefined : credentialOf(leaf)
  return { cipher, extra: bundle.extra, used, ...(by === undefined ? {} : { by }) }
}

export interface ExternalJoin {
  /** Published like any commit, by compare-and-set on the epoch of the group info. */
  readonly message: Uint8Array
  /** After the server put it in its place. Before that nothing is kept: it can be made again. */
  readonly accept: () => Promise<MlsGroup>
}

/** Joins by itself, with what `groupInfo` of a member gave: a new device of a member, or one that lost its state. RFC 9420 §12.4.3.2 */
export async function joinByItself(
  bytes: Uint8Array,
  credential: DeviceCredential,
  ports: CipherPorts,
): Promise<ExternalJoin> {
  const { chains, keys } = ports
  const { mls, attached } = decodeHandshake(bytes, "the group info", maxJoinBundleBytes)
  const groupInfo = parseGroupInfo(mls, maxHandshakeBytes)
  assertBundle(groupInfo, attached)
  const { entries, heads } = decodeJoinBundle(attached)
  const log = verifyStateLog(entries, groupOf(groupInfo), chains)
  if (roleOf(log.body, credential.chain) === undefined) {
    throw new KezError("chat.policy", "Cannot join the conversation: its state does not name you as a member", {
      hint: "Ask an owner or admin to add you.",
    })
  }
  const judge = judgeTree(chains)
  const own = await createKeyPackage({ keys, credential, now: ports.now() })
  const head = headOf(chainOf(chains, credential.chain))
  const data = { state: log.digest, transcript: transcriptOf(groupInfo), at: ports.now(), heads: [head] }
  const { message, state } = await runLibrary(joining, judge, () =>
    enterFromOutside(groupInfo, own, {
      judge,
      authenticatedData: encodeAuthenticatedData(data),
      treeOf: (info) => membersOnly(readTree(info), log),
      former: (tree) => devicesOf(tree).find((member) => member.credential.device === credential.device)?.index,
    }),
  )
  const commit = encodeMlsMessage({ version: "mls10", wireformat: "mls_public_message", publicMessage: message })
  const before = {
    epoch: Number(groupInfo.groupContext.epoch),
    transcript: data.transcript,
    state: log.digest,
    refused: [],
  }
  const marks = marksAfter([before], digestOf(commit), firstMark(state, log))
  const record = { state, log, heads: headsByChain([...heads, head]), marks }
  return {
    message: encodeHandshake({ mls: commit, attached: new Uint8Array() }),
    accept: () => begin(record, ports),
  }
}

/** Comes back after a restart: the record, and behind it what the journal says was used since. */
export async function loadConversation({ record, journal }: StoredGroup, ports: CipherPorts): Promise<MlsGroup> {
  const saved = decodeRecord(record)
  const state = await withJournal(saved.state, journal.map(decodeUsedGeneration))
  return new MlsGroup({ ...saved, state }, ports, journal.length)
}

/** Written before anybody can use it. */
async function begin(record: GroupRecord, ports: CipherPorts): Promise<MlsGroup> {
  const marks = record.marks.length > 0 ? record.marks : [firstMark(record.state, record.log)]
  const whole = { ...record, marks }
  await ports.store.saveRecord(record.log.group, encodeRecord(whole))
  return new MlsGroup(whole, ports)
}

function keyPackageFor(welcome: Welcome, keyPackages: readonly OwnKeyPackage[]): OwnKeyPackage {
  const refs = new Set(welcome.secrets.map(({ newMember }) => digestOfBytes(newMember)))
  const used = keyPackages.find(({ ref }) => refs.has(ref))
  if (used !== undefined) return used
  throw new KezError(
    "chat.key_package",
    "Cannot join the conversation: none of this device's unused key packages was used",
    {
      hint: "It was made for another device, or the key package was used before. Ask to be added again.",
    },
  )
}

/** A tree of 100,000 leaves costs its reader seconds of hashing: the size first. */
function readTree(groupInfo: GroupInfo): RatchetTree {
  const { groupContext } = groupInfo
  if (groupContext.cipherSuite !== suite.name || groupContext.extensions.length > 0) {
    throw joinFault("it has another ciphersuite or extensions")
  }
  const tree = ratchetTreeFromExtension(groupInfo)
  if (tree === undefined) throw joinFault("it comes without its tree")
  if (tree.length > 4 * maxGroupDevices) {
    throw new KezError("limit.size", `Cannot join the conversation: expected at most ${maxGroupDevices} devices`)
  }
  return tree
}

/** Each device in the tree is of somebody whom the state names. */
function membersOnly(tree: RatchetTree, log: StateLog): RatchetTree {
  for (const node of tree) {
    if (node?.nodeType !== "leaf" || roleOf(log.body, credentialOf(node.leaf).chain) !== undefined) continue
    throw new KezError(
      "chat.policy",
      "Cannot join the conversation: a device is in it of somebody whom the state does not name",
      {
        hint: "Do not write there. Tell the person who added you.",
      },
    )
  }
  return tree
}

function groupOf({ groupContext }: Pick<GroupState, "groupContext">): Digest {
  return digestOfBytes(groupContext.groupId)
}

function joinFault(found: string): KezError {
  return new KezError("chat.commit", `Cannot join the conversation: ${found}`, { hint })
}
