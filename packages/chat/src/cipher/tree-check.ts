/**
 * Whether a tree that one joins is sound. RFC 9420 §7.3, §12.4.3.1. In place of the library's own check, which refuses sound trees: it wants the same
 * unmerged leaves in every node above a leaf, where the RFC wants the leaf itself in those between it and the node.
 */
import { formatHex, KezError } from "@kez/core"
import type { GroupContext, LeafNode, RatchetTree } from "ts-mls"
import { verifyLeafNodeSignature, verifyLeafNodeSignatureKeyPackage } from "ts-mls/leafNode.js"
import { verifyParentHashes } from "ts-mls/parentHash.js"
import { treeHashRoot } from "ts-mls/treeHash.js"
import { directPath, leafToNodeIndex, leafWidth, toLeafIndex } from "ts-mls/treemath.js"
import { equalBytes } from "../bytes.ts"
import { hasOurCapabilities } from "../credential/key-package.ts"
import type { LeafJudge } from "./mls-config.ts"
import { suite } from "./suite.ts"

export async function assertTree(tree: RatchetTree, context: GroupContext, judge: LeafJudge): Promise<void> {
  assertStructure(tree)
  assertUniqueKeys(tree)
  assertUnmergedLeaves(tree)
  for (const [i, node] of tree.entries()) {
    if (node?.nodeType === "leaf") await assertLeaf(node.leaf, { context, index: i / 2, judge })
  }
  if (!(await verifyParentHashes(tree, suite.hash))) throw fault("a parent hash is wrong")
  if (!equalBytes(context.treeHash, await treeHashRoot(tree, suite.hash))) throw fault("its hash is another")
}

function assertStructure(tree: RatchetTree): void {
  const isSound = tree.every((node, i) => node === undefined || (node.nodeType === "leaf") === (i % 2 === 0))
  if (tree.length === 0 || !isSound) throw fault("leaves and parents are in each other's places")
}

function assertUniqueKeys(tree: RatchetTree): void {
  const encryption = new Set<string>()
  const signature = new Set<string>()
  for (const node of tree) {
    if (node === undefined) continue
    const key = formatHex(node.nodeType === "leaf" ? node.leaf.hpkePublicKey : node.parent.hpkePublicKey)
    const signer = node.nodeType === "leaf" ? formatHex(node.leaf.signaturePublicKey) : undefined
    if (encryption.has(key) || (signer !== undefined && signature.has(signer))) throw fault("a key stands in it twice")
    encryption.add(key)
    if (signer !== undefined) signature.add(signer)
  }
}

/** Each entry is a leaf below the node, and stands in every node between the two that is not blank. */
export function assertUnmergedLeaves(tree: RatchetTree): void {
  const width = leafWidth(tree.length)
  for (const [i, node] of tree.entries()) {
    if (node?.nodeType !== "parent") continue
    for (const entry of node.parent.unmergedLeaves) {
      const leaf = leafToNodeIndex(toLeafIndex(entry))
      const above: readonly number[] = leaf < tree.length ? directPath(leaf, width) : []
      const place = above.indexOf(i)
      if (tree[leaf]?.nodeType !== "leaf" || place < 0) throw fault("an unmerged leaf is not below its node")
      for (const between of above.slice(0, place)) {
        const other = tree[between]
        if (other?.nodeType === "parent" && !other.parent.unmergedLeaves.includes(entry)) {
          throw fault("an unmerged leaf is missing in a node between")
        }
      }
    }
  }
}

async function assertLeaf(
  leaf: LeafNode,
  { context, index, judge }: { readonly context: GroupContext; readonly index: number; readonly judge: LeafJudge },
): Promise<void> {
  if (!hasOurCapabilities(leaf.capabilities) || leaf.extensions.length > 0) throw fault("a leaf has other capabilities")
  if (!(await isSigned(leaf, context, index))) throw fault("a leaf is not signed by its device")
  const { credential, signaturePublicKey } = leaf
  if (await judge.config.authService.validateCredential(credential, signaturePublicKey)) return
  throw judge.fault() ?? fault("a leaf is of no device")
}

async function isSigned(leaf: LeafNode, { groupId }: GroupContext, index: number): Promise<boolean> {
  if (leaf.leafNodeSource === "key_package") return verifyLeafNodeSignatureKeyPackage(leaf, suite.signature)
  return leaf.leafNodeSource === "commit" && verifyLeafNodeSignature(leaf, groupId, index, suite.signature)
}

function fault(found: string): KezError {
  return new KezError("chat.commit", `Cannot join the conversation: its tree is not sound, ${found}`, {
    hint: "Ask to be added again.",
  })
}
