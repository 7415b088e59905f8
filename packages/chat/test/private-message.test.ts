/** Our frame of application messages against the library's: each opens what the other sealed, with the same keys afterwards. Its vectors: mls-vectors.test.ts. */
import assert from "node:assert/strict"
import { randomBytes } from "node:crypto"
import { test } from "node:test"
import { suites } from "@kez/core"
import { decodeMlsMessage, encodeMlsMessage, type GroupContext, type PrivateMessage } from "ts-mls"
import { protectApplicationData, unprotectPrivateMessage } from "ts-mls/messageProtection.js"
import { createSecretTree } from "ts-mls/secretTree.js"
import { noLeaf } from "../src/cipher/mls-config.ts"
import {
  type MessageEpoch,
  openApplication,
  openSenderData,
  sealApplication,
  tryReadApplication,
} from "../src/cipher/private-message.ts"
import { NotOpened, suite, suiteName } from "../src/cipher/suite.ts"
import { encodeMessage } from "../src/wire/message.ts"

const fresh = (length: number): Uint8Array => new Uint8Array(randomBytes(length))
const { paddingConfig, keyRetentionConfig } = noLeaf.config
const leaf = 2
const signKey = fresh(32)
const publicKey = suites.ed25519.publicKey(signKey)

async function begun(epoch = 5n): Promise<MessageEpoch> {
  const groupContext: GroupContext = {
    ...{ version: "mls10", cipherSuite: suiteName, groupId: fresh(32), epoch, treeHash: fresh(32) },
    ...{ confirmedTranscriptHash: fresh(32), extensions: [] },
  }
  return { groupContext, secretTree: await createSecretTree(4, fresh(32), suite.kdf), senderDataSecret: fresh(32) }
}

function decoded(bytes: Uint8Array): PrivateMessage {
  const message = decodeMlsMessage(bytes, 0)?.[0]
  if (message?.wireformat !== "mls_private_message") throw new Error("not private")
  assert.deepEqual(encodeMlsMessage(message), bytes)
  return message.privateMessage
}

async function byLibrary({ groupContext, secretTree, senderDataSecret }: MessageEpoch, message: PrivateMessage) {
  const [tree, context] = [secretTree, groupContext] as const
  const config = keyRetentionConfig
  return unprotectPrivateMessage(senderDataSecret, message, tree, [], context, config, suite, publicKey)
}

async function byUs(epoch: MessageEpoch, message: PrivateMessage) {
  const from = await openSenderData(message, epoch.senderDataSecret)
  return { from, ...(await openApplication(epoch, message, { from, publicKey })) }
}

const with_ = (epoch: MessageEpoch, secretTree: MessageEpoch["secretTree"]): MessageEpoch => ({ ...epoch, secretTree })

test("sealApplication() makes what the library opens, of every length, and leaves the same keys", async () => {
  for (const number of [0n, 5n, 2n ** 33n + 7n]) {
    let epoch = await begun(number)
    for (const length of [0, 1, 63, 64, 200, 16_383, 16_384, 60_000]) {
      const [content, authenticatedData] = [fresh(length), fresh(length % 300)]
      const sealed = await sealApplication(epoch, { leaf, signKey, content, authenticatedData })
      const message = decoded(sealed.bytes)
      assert.deepEqual(tryReadApplication(sealed.bytes), message)
      const opened = await byLibrary(epoch, message)
      const { auth, ...rest } = opened.content.content as typeof opened.content.content & { readonly auth: unknown }
      assert.ok(auth)
      assert.deepEqual(rest, {
        ...{ contentType: "application", applicationData: content, authenticatedData, epoch: number },
        ...{ groupId: epoch.groupContext.groupId, sender: { senderType: "member", leafIndex: leaf } },
      })
      assert.deepEqual(sealed.tree, opened.tree)
      epoch = with_(epoch, sealed.tree)
    }
  }
})

test("openApplication() opens what the library sealed, in order, late and skipped, and leaves the same keys", async () => {
  const epoch = await begun()
  const { groupContext, senderDataSecret } = epoch
  const made: { readonly message: PrivateMessage; readonly content: Uint8Array }[] = []
  let tree = epoch.secretTree
  for (let i = 0; i < 6; i++) {
    const content = fresh(i * 100)
    const sealed = await protectApplicationData(
      ...([signKey, senderDataSecret, content, fresh(i), groupContext, tree, leaf] as const),
      ...([paddingConfig, suite] as const),
    )
    made.push({ message: decodedOf(sealed.privateMessage), content })
    tree = sealed.newSecretTree
  }
  let [ours, theirs] = [epoch, epoch]
  for (const i of [0, 3, 1, 5, 4, 2]) {
    const { message, content } = made[i] ?? assert.fail()
    const opened = await byUs(ours, message)
    assert.deepEqual(opened.from.generation, i)
    assert.deepEqual(opened.content, content)
    const expected = await byLibrary(theirs, message)
    assert.deepEqual(opened.tree, expected.tree)
    ours = with_(epoch, opened.tree)
    theirs = with_(epoch, expected.tree)
    await assert.rejects(byUs(ours, message))
  }
})

function decodedOf(privateMessage: PrivateMessage): PrivateMessage {
  const bytes = encodeMlsMessage({ version: "mls10", wireformat: "mls_private_message", privateMessage })
  return tryReadApplication(bytes) ?? assert.fail("not read")
}

test("openApplication() opens nothing that was altered, in whatever byte", async () => {
  const epoch = await begun()
  const sealing = { leaf, signKey, content: fresh(20), authenticatedData: fresh(9) }
  const { bytes } = await sealApplication(epoch, sealing)
  const isOpened = async (altered: Uint8Array): Promise<boolean> => {
    const message = tryReadApplication(altered)
    if (message === undefined) return false
    try {
      await byUs(epoch, message)
      return true
    } catch (error) {
      if (error instanceof NotOpened) return false
      throw error
    }
  }
  assert.equal(await isOpened(bytes), true)
  for (let i = 0; i < bytes.length; i++) {
    assert.equal(await isOpened(bytes.with(i, (bytes[i] ?? 0) ^ 1)), false, `byte ${i}`)
    assert.equal(tryReadApplication(bytes.subarray(0, i)), undefined, `${i} bytes`)
  }
  assert.equal(tryReadApplication(Uint8Array.of(...bytes, 0)), undefined)
  // The group id's length in two bytes instead of one: one value has one spelling.
  assert.equal(tryReadApplication(Uint8Array.of(...bytes.subarray(0, 4), 0x40, ...bytes.subarray(4))), undefined)
})

test("openApplication() believes nobody but the leaf's own key, in its own group and epoch", async () => {
  const epoch = await begun()
  const sealing = { leaf, signKey: fresh(32), content: fresh(20), authenticatedData: fresh(9) }
  const forged = decoded((await sealApplication(epoch, sealing)).bytes)
  await assert.rejects(byUs(epoch, forged), NotOpened)
  const { bytes } = await sealApplication(epoch, { ...sealing, signKey })
  const other = { ...epoch, groupContext: { ...epoch.groupContext, treeHash: fresh(32) } }
  await assert.rejects(byUs(other, decoded(bytes)), NotOpened)
  await assert.rejects(byUs({ ...epoch, senderDataSecret: fresh(32) }, decoded(bytes)), NotOpened)
})

test("sealApplication() hides how long a text is, but for its number of 256 bytes", async () => {
  const epoch = await begun()
  const device = `ed25519:${"a".repeat(64)}`
  const sizeOf = async (text: string): Promise<number> => {
    const place = { device, counter: 7, prev: `sha256:${"b".repeat(64)}` } as const
    const { bytes: content } = encodeMessage(place, "text", { content: {}, body: new TextEncoder().encode(text) })
    return (await sealApplication(epoch, { leaf, signKey, content, authenticatedData: fresh(9) })).bytes.length
  }
  const sizes = await Promise.all(Array.from({ length: 1_000 }, (_, i) => sizeOf("x".repeat(i))))
  assert.equal(sizes[0], sizes[100])
  assert.equal(new Set(sizes).size, 4)
})
