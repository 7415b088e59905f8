/**
 * The two ways into an MLS group, from the library's parts in the order of RFC 9420 §12.4.3.1 and §12.4.3.2. Its own functions for both hold the
 * check that `tree-check.ts` replaces, and resumption, which is not used.
 */
import { KezError } from "@kez/core"
import type { GroupInfo, GroupState, LeafIndex, PublicMessage, RatchetTree, Welcome } from "ts-mls"
import { exportSecret, nextEpochContext } from "ts-mls/clientState.js"
import { deriveSecret } from "ts-mls/crypto/kdf.js"
import { createConfirmationTag, createContentCommitSignature } from "ts-mls/framedContent.js"
import { verifyGroupInfoConfirmationTag, verifyGroupInfoSignature } from "ts-mls/groupInfo.js"
import { makeKeyPackageRef } from "ts-mls/keyPackage.js"
import { deriveKeySchedule, initializeEpoch } from "ts-mls/keySchedule.js"
import { protectPublicMessage } from "ts-mls/messageProtectionPublic.js"
import { getCommitSecret, pathToPathSecrets, pathToRoot } from "ts-mls/pathSecrets.js"
import { mergePrivateKeyPaths, toPrivateKeyPath, updateLeafKey } from "ts-mls/privateKeyPath.js"
import { addLeafNode, findLeafIndex, removeLeafNode } from "ts-mls/ratchetTree.js"
import { createSecretTree } from "ts-mls/secretTree.js"
import { treeHashRoot } from "ts-mls/treeHash.js"
import { leafToNodeIndex, leafWidth, nodeToLeafIndex, toLeafIndex, toNodeIndex } from "ts-mls/treemath.js"
import { createUpdatePath, firstCommonAncestor } from "ts-mls/updatePath.js"
import { zeroOutUint8Array } from "ts-mls/util/byteArray.js"
import { decryptGroupInfo, decryptGroupSecrets } from "ts-mls/welcome.js"
import { equalBytes } from "../bytes.ts"
import type { OwnKeyPackage } from "../credential/key-package.ts"
import { leafAt } from "./group-record.ts"
import type { LeafJudge } from "./mls-config.ts"
import { suite } from "./suite.ts"
import { assertTree } from "./tree-check.ts"

const { kdf, hash, hpke, signature } = suite
const noPsk = new Uint8Array(kdf.size)

/** What is looked at before a tree is worked on: size, suite, extensions. Gives the tree. */
export type TreeOf = (groupInfo: GroupInfo) => RatchetTree

export async function enterByWelcome(
  welcome: Welcome,
  { keyPackage, secrets }: OwnKeyPackage,
  { treeOf, judge }: { readonly treeOf: TreeOf; readonly judge: LeafJudge },
): Promise<{ readonly state: GroupState; readonly signer: number }> {
  const key = await hpke.importPrivateKey(secrets.initPrivateKey)
  const opened = await decryptGroupSecrets(key, await makeKeyPackageRef(keyPackage, hash), welcome, hpke)
  if (opened === undefined || opened.psks.length > 0) throw fault("its secrets are not well-formed")
  const { joinerSecret, pathSecret } = opened
  const groupInfo = await decryptGroupInfo(welcome, joinerSecret, noPsk, suite)
  if (groupInfo === undefined) throw fault("its group info is not well-formed")
  const tree = treeOf(groupInfo)
  await assertSigned(groupInfo, tree, judge)
  const leafIndex = findLeafIndex(tree, keyPackage.leafNode)
  if (leafIndex === undefined) throw fault("this device is not in its tree")
  const own = { leafIndex, privateKeys: { [leafToNodeIndex(leafIndex)]: secrets.hpkePrivateKey } }
  const { groupContext, confirmationTag } = groupInfo
  const [keySchedule, encryptionSecret] = await deriveKeySchedule(joinerSecret, noPsk, groupContext, kdf)
  if (!(await verifyGroupInfoConfirmationTag(groupInfo, joinerSecret, noPsk, suite))) {
    throw fault("its confirmation is wrong")
  }
  const secretTree = await createSecretTree(leafWidth(tree.length), encryptionSecret, kdf)
  zeroOutUint8Array(encryptionSecret)
  zeroOutUint8Array(joinerSecret)
  const privatePath =
    pathSecret === undefined
      ? own
      : mergePrivateKeyPaths(await keysAbove(tree, groupInfo, { leafIndex, pathSecret }), own)
  const { signaturePrivateKey } = secrets
  const known = { groupContext, ratchetTree: tree, privatePath, keySchedule, secretTree }
  return { state: begin({ ...known, confirmationTag, signaturePrivateKey }), signer: groupInfo.signer }
}

async function keysAbove(
  tree: RatchetTree,
  { signer }: GroupInfo,
  { leafIndex, pathSecret }: { readonly leafIndex: LeafIndex; readonly pathSecret: Uint8Array },
) {
  const ancestor = firstCommonAncestor(tree, leafIndex, toLeafIndex(signer))
  const secrets = await pathToRoot(tree, ancestor, pathSecret, kdf)
  await assertKeysOfNodes(tree, secrets)
  return toPrivateKeyPath(secrets, leafIndex, suite)
}

/** Whoever adds a device could give it keys that are none of the tree's: it would read now, and apply no commit of others later. RFC 9420 §12.4.3.1 */
export async function assertKeysOfNodes(
  tree: RatchetTree,
  secrets: Readonly<Record<number, Uint8Array>>,
): Promise<void> {
  for (const [index, secret] of Object.entries(secrets)) {
    const node = tree[Number(index)]
    if (node?.nodeType !== "parent") continue
    const { publicKey } = await hpke.deriveKeyPair(await deriveSecret(secret, "node", kdf))
    if (!equalBytes(await hpke.exportPublicKey(publicKey), node.parent.hpkePublicKey)) {
      throw fault("its path secret is none of the tree's")
    }
  }
}

export interface Entered {
  readonly message: PublicMessage
  readonly state: GroupState
}

export interface OutsideRequest {
  readonly treeOf: TreeOf
  readonly judge: LeafJudge
  readonly authenticatedData: Uint8Array
  /** The leaf that this device has in the tree already, and leaves. */
  readonly former: (tree: RatchetTree) => number | undefined
}

export async function enterFromOutside(
  groupInfo: GroupInfo,
  { keyPackage, secrets }: OwnKeyPackage,
  { treeOf, judge, authenticatedData, former: formerIn }: OutsideRequest,
): Promise<Entered> {
  const tree = treeOf(groupInfo)
  const external = groupInfo.extensions.find(({ extensionType }) => extensionType === "external_pub")
  if (external === undefined) throw fault("its group info lets nobody in")
  await assertSigned(groupInfo, tree, judge)
  const { enc, secret: initSecret } = await exportSecret(external.extensionData, suite)
  const former = formerIn(tree)
  const free = former === undefined ? tree : removeLeafNode(tree, toLeafIndex(former))
  const [withLeaf, node] = addLeafNode(free, keyPackage.leafNode)
  const leaf = nodeToLeafIndex(node)
  const { groupContext: before, confirmationTag: tagBefore } = groupInfo
  const { signaturePrivateKey } = secrets
  const [ratchetTree, path, pathSecrets, leafKey] = await createUpdatePath(
    withLeaf,
    leaf,
    before,
    signaturePrivateKey,
    suite,
  )
  const keys = await toPrivateKeyPath(pathToPathSecrets(pathSecrets), leaf, suite)
  const privatePath = updateLeafKey(keys, await hpke.exportPrivateKey(leafKey))
  const last = pathSecrets.at(-1)
  const commitSecret =
    last === undefined
      ? noPsk.slice()
      : await getCommitSecret(ratchetTree, toNodeIndex(last.nodeIndex), last.secret, kdf)
  const proposals = [
    ...(former === undefined ? [] : [{ proposalType: "remove" as const, remove: { removed: former } }]),
    { proposalType: "external_init" as const, externalInit: { kemOutput: enc } },
  ].map((proposal) => ({ proposalOrRefType: "proposal" as const, proposal }))
  const sender = { senderType: "new_member_commit" } as const
  const wire = "mls_public_message"
  const commit = { proposals, path }
  const signed = await createContentCommitSignature(
    ...([before, wire, commit, sender, authenticatedData, signaturePrivateKey, signature] as const),
  )
  const treeHash = await treeHashRoot(ratchetTree, hash)
  const groupContext = await nextEpochContext(
    ...([before, wire, signed.framedContent, signed.signature, treeHash, tagBefore, hash] as const),
  )
  const epoch = await initializeEpoch(initSecret, commitSecret, groupContext, noPsk, kdf)
  const { keySchedule } = epoch
  const confirmationTag = await createConfirmationTag(
    keySchedule.confirmationKey,
    groupContext.confirmedTranscriptHash,
    hash,
  )
  const secretTree = await createSecretTree(leafWidth(ratchetTree.length), epoch.encryptionSecret, kdf)
  const auth = { signature: signed.signature, confirmationTag, contentType: "commit" as const }
  const content = { content: signed.framedContent, auth, wireformat: wire } as const
  const message = await protectPublicMessage(keySchedule.membershipKey, groupContext, content, suite)
  for (const used of [commitSecret, initSecret, epoch.encryptionSecret, epoch.joinerSecret]) zeroOutUint8Array(used)
  const state = begin({
    groupContext,
    ratchetTree,
    privatePath,
    keySchedule,
    secretTree,
    confirmationTag,
    signaturePrivateKey,
  })
  return { message, state }
}

/** The signer is a leaf of the tree, the tree is sound, and every device in it is somebody's. */
async function assertSigned(groupInfo: GroupInfo, tree: RatchetTree, judge: LeafJudge): Promise<void> {
  const signer = leafAt(tree, groupInfo.signer)
  if (signer === undefined) throw fault("nobody in its tree signed it")
  if (!(await verifyGroupInfoSignature(groupInfo, signer.signaturePublicKey, signature)))
    throw fault("its signature is wrong")
  await assertTree(tree, groupInfo.groupContext, judge)
}

function begin(
  state: Omit<GroupState, "unappliedProposals" | "historicalReceiverData" | "groupActiveState">,
): GroupState {
  return { ...state, unappliedProposals: {}, historicalReceiverData: new Map(), groupActiveState: { kind: "active" } }
}

function fault(found: string): KezError {
  return new KezError("chat.commit", `Cannot join the conversation: ${found}`, { hint: "Ask to be added again." })
}
