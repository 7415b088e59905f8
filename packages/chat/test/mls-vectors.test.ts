/**
 * The vectors of the MLS working group (mlswg/mls-implementations, `test-vectors/`) for our suite, run through our cryptography and the
 * pinned library: C.10 M15. Their folder is `mls-wg` among the public vectors.
 */
import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { test } from "node:test"
import {
  type ClientState,
  decodeMlsMessage,
  encodeMlsMessage,
  type GroupContext,
  joinGroup,
  makePskIndex,
  mlsExporter,
  type PskIndex,
  processMessage,
} from "ts-mls"
import { refhash } from "ts-mls/crypto/hash.js"
import { decryptWithLabel, encryptWithLabel } from "ts-mls/crypto/hpke.js"
import { deriveSecret, deriveTreeSecret, expandWithLabel } from "ts-mls/crypto/kdf.js"
import { signWithLabel, verifyWithLabel } from "ts-mls/crypto/signature.js"
import { encodeGroupContext } from "ts-mls/groupContext.js"
import { verifyGroupInfoConfirmationTag, verifyGroupInfoSignature } from "ts-mls/groupInfo.js"
import { makeKeyPackageRef } from "ts-mls/keyPackage.js"
import { initializeEpoch } from "ts-mls/keySchedule.js"
import { unprotectPrivateMessage } from "ts-mls/messageProtection.js"
import { verifyParentHashes } from "ts-mls/parentHash.js"
import { decodeRatchetTree } from "ts-mls/ratchetTree.js"
import { createSecretTree, deriveKey, deriveNonce, ratchetUntil } from "ts-mls/secretTree.js"
import { expandSenderDataKey, expandSenderDataNonce } from "ts-mls/sender.js"
import { leafToNodeIndex, toLeafIndex } from "ts-mls/treemath.js"
import { decryptGroupInfo, decryptGroupSecrets } from "ts-mls/welcome.js"
import { publicVectors, skipWithoutVectors } from "../../../test/support/vectors.ts"
import { openApplication, openSenderData, tryReadApplication } from "../src/cipher/private-message.ts"
import { suite } from "../src/cipher/suite.ts"
import { assertUnmergedLeaves } from "../src/cipher/tree-check.ts"

/** A vector as read; each test takes what its section of test-vectors.md names. */
interface Vector {
  readonly cipher_suite: number
  readonly [member: string]: unknown
}

function vectorsOf(name: string): readonly Vector[] {
  const path = publicVectors(`mls-wg/${name}.json`)
  const all = path === undefined ? [] : (JSON.parse(readFileSync(path, "utf8")) as readonly Vector[])
  return all.filter(({ cipher_suite }) => cipher_suite === undefined || cipher_suite === 1)
}

const hex = (value: unknown): Uint8Array => new Uint8Array(Buffer.from(String(value), "hex"))
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")
const part = (vector: Vector, name: string): Vector => vector[name] as Vector
const list = (vector: Vector, name: string): readonly Vector[] => vector[name] as readonly Vector[]

/** `most`: of the long ones a few are enough for every run. */
function vectorTest(name: string, run: (vector: Vector) => Promise<void>, most = 1_000): void {
  test(`M15 mls-wg ${name}`, { skip: skipWithoutVectors(`mls-wg/${name}.json`) }, async () => {
    const vectors = vectorsOf(name)
    assert.ok(vectors.length > 0)
    for (const vector of vectors.slice(0, most)) await run(vector)
  })
}

function messageOf(value: unknown) {
  const bytes = hex(value)
  const decoded = decodeMlsMessage(bytes, 0)
  if (decoded === undefined) throw new Error("not decoded")
  assert.equal(text(encodeMlsMessage(decoded[0])), text(bytes))
  return decoded[0]
}

vectorTest("crypto-basics", async (vector) => {
  const { kdf, hash, hpke, signature } = suite
  const ref = part(vector, "ref_hash")
  assert.equal(text(await refhash(String(ref["label"]), hex(ref["value"]), hash)), ref["out"])
  const expand = part(vector, "expand_with_label")
  const length = Number(expand["length"])
  const label = String(expand["label"])
  assert.equal(
    text(await expandWithLabel(hex(expand["secret"]), label, hex(expand["context"]), length, kdf)),
    expand["out"],
  )
  const derive = part(vector, "derive_secret")
  assert.equal(text(await deriveSecret(hex(derive["secret"]), String(derive["label"]), kdf)), derive["out"])
  const tree = part(vector, "derive_tree_secret")
  const [generation, size] = [Number(tree["generation"]), Number(tree["length"])]
  assert.equal(
    text(await deriveTreeSecret(hex(tree["secret"]), String(tree["label"]), generation, size, kdf)),
    tree["out"],
  )
  const sign = part(vector, "sign_with_label")
  const content = hex(sign["content"])
  const made = await signWithLabel(hex(sign["priv"]), String(sign["label"]), content, signature)
  for (const one of [made, hex(sign["signature"])]) {
    assert.ok(await verifyWithLabel(hex(sign["pub"]), String(sign["label"]), content, one, signature))
  }
  const sealed = part(vector, "encrypt_with_label")
  const [key, context] = [await hpke.importPrivateKey(hex(sealed["priv"])), hex(sealed["context"])]
  const name = String(sealed["label"])
  const publicKey = await hpke.importPublicKey(hex(sealed["pub"]))
  const { enc, ct } = await encryptWithLabel(publicKey, name, context, hex(sealed["plaintext"]), hpke)
  for (const [kem, ciphertext] of [
    [enc, ct],
    [hex(sealed["kem_output"]), hex(sealed["ciphertext"])],
  ] as const) {
    assert.equal(text(await decryptWithLabel(key, name, context, kem, ciphertext, hpke)), sealed["plaintext"])
  }
})

vectorTest("secret-tree", async (vector) => {
  const sender = part(vector, "sender_data")
  const [secret, ciphertext] = [hex(sender["sender_data_secret"]), hex(sender["ciphertext"])]
  assert.equal(text(await expandSenderDataKey(suite, secret, ciphertext)), sender["key"])
  assert.equal(text(await expandSenderDataNonce(suite, secret, ciphertext)), sender["nonce"])
  const leaves = vector["leaves"] as readonly (readonly Vector[])[]
  const tree = await createSecretTree(leaves.length, hex(vector["encryption_secret"]), suite.kdf)
  const config = { retainKeysForGenerations: 200, retainKeysForEpochs: 2, maximumForwardRatchetSteps: 200 }
  for (const [i, generations] of leaves.entries()) {
    const node = tree[leafToNodeIndex(toLeafIndex(i))]
    if (node === undefined) throw new Error("no leaf")
    for (const expected of generations) {
      const generation = Number(expected["generation"])
      for (const use of ["handshake", "application"] as const) {
        const [ratchet] = await ratchetUntil(node[use], generation, config, suite.kdf)
        assert.equal(text(await deriveKey(ratchet.secret, generation, suite)), expected[`${use}_key`])
        assert.equal(text(await deriveNonce(ratchet.secret, generation, suite)), expected[`${use}_nonce`])
      }
    }
  }
})

function contextOf(vector: Vector, more: Vector, epoch: bigint): GroupContext {
  return {
    ...{ version: "mls10", cipherSuite: suite.name, groupId: hex(vector["group_id"]), epoch, extensions: [] },
    ...{ treeHash: hex(more["tree_hash"]), confirmedTranscriptHash: hex(more["confirmed_transcript_hash"]) },
  }
}

vectorTest("key-schedule", async (vector) => {
  let init = hex(vector["initial_init_secret"])
  for (const [i, epoch] of list(vector, "epochs").entries()) {
    const context = contextOf(vector, epoch, BigInt(i))
    assert.equal(text(encodeGroupContext(context)), epoch["group_context"])
    const made = await initializeEpoch(init, hex(epoch["commit_secret"]), context, hex(epoch["psk_secret"]), suite.kdf)
    const { keySchedule } = made
    const expected = {
      ...{
        joiner_secret: made.joinerSecret,
        welcome_secret: made.welcomeSecret,
        encryption_secret: made.encryptionSecret,
      },
      ...{ init_secret: keySchedule.initSecret, sender_data_secret: keySchedule.senderDataSecret },
      ...{ exporter_secret: keySchedule.exporterSecret, epoch_authenticator: keySchedule.epochAuthenticator },
      ...{ external_secret: keySchedule.externalSecret, confirmation_key: keySchedule.confirmationKey },
      ...{ membership_key: keySchedule.membershipKey, resumption_psk: keySchedule.resumptionPsk },
    }
    for (const [name, value] of Object.entries(expected)) assert.equal(text(value), epoch[name], name)
    const { publicKey } = await suite.hpke.deriveKeyPair(keySchedule.externalSecret)
    assert.equal(text(await suite.hpke.exportPublicKey(publicKey)), epoch["external_pub"])
    const exported = part(epoch, "exporter")
    const [label, length] = [String(exported["label"]), Number(exported["length"])]
    const secret = await mlsExporter(keySchedule.exporterSecret, label, hex(exported["context"]), length, suite)
    assert.equal(text(secret), exported["secret"])
    init = keySchedule.initSecret
  }
})

vectorTest("message-protection", async (vector) => {
  const context = contextOf(vector, vector, BigInt(Number(vector["epoch"])))
  const config = { retainKeysForGenerations: 10, retainKeysForEpochs: 2, maximumForwardRatchetSteps: 10 }
  const key = hex(vector["signature_pub"])
  for (const kind of ["proposal", "commit", "application"] as const) {
    const message = messageOf(vector[`${kind}_priv`])
    if (message.wireformat !== "mls_private_message") throw new Error("not private")
    const tree = await createSecretTree(2, hex(vector["encryption_secret"]), suite.kdf)
    const secret = hex(vector["sender_data_secret"])
    const opened = await unprotectPrivateMessage(secret, message.privateMessage, tree, [], context, config, suite, key)
    assert.equal(opened.content.content.contentType, kind)
    if (opened.content.content.contentType === "application") {
      assert.equal(text(opened.content.content.applicationData), vector["application"])
    }
  }
  const epoch = {
    groupContext: context,
    secretTree: await createSecretTree(2, hex(vector["encryption_secret"]), suite.kdf),
    senderDataSecret: hex(vector["sender_data_secret"]),
  }
  const message = tryReadApplication(hex(vector["application_priv"]))
  if (message === undefined) throw new Error("not read")
  assert.deepEqual(messageOf(vector["application_priv"]), {
    version: "mls10",
    wireformat: "mls_private_message",
    privateMessage: message,
  })
  const from = await openSenderData(message, epoch.senderDataSecret)
  const { content } = await openApplication(epoch, message, { from, publicKey: key })
  assert.equal(text(content), vector["application"])
})

vectorTest("welcome", async (vector) => {
  const [keyPackage, welcome] = [messageOf(vector["key_package"]), messageOf(vector["welcome"])]
  if (keyPackage.wireformat !== "mls_key_package" || welcome.wireformat !== "mls_welcome") throw new Error("not those")
  const key = await suite.hpke.importPrivateKey(hex(vector["init_priv"]))
  const ref = await makeKeyPackageRef(keyPackage.keyPackage, suite.hash)
  const secrets = await decryptGroupSecrets(key, ref, welcome.welcome, suite.hpke)
  if (secrets === undefined) throw new Error("no secrets")
  const none = new Uint8Array(suite.kdf.size)
  const info = await decryptGroupInfo(welcome.welcome, secrets.joinerSecret, none, suite)
  if (info === undefined) throw new Error("no group info")
  assert.ok(await verifyGroupInfoSignature(info, hex(vector["signer_pub"]), suite.signature))
  assert.ok(await verifyGroupInfoConfirmationTag(info, secrets.joinerSecret, none, suite))
})

vectorTest("tree-validation", async (vector) => {
  const tree = decodeRatchetTree(hex(vector["tree"]), 0)?.[0] ?? []
  assertUnmergedLeaves(tree)
  assert.ok(await verifyParentHashes(tree, suite.hash))
})

async function joinPassively(vector: Vector, psks: PskIndex): Promise<ClientState> {
  const [keyPackage, welcome] = [messageOf(vector["key_package"]), messageOf(vector["welcome"])]
  if (keyPackage.wireformat !== "mls_key_package" || welcome.wireformat !== "mls_welcome") throw new Error("not those")
  const tree = vector["ratchet_tree"] === null ? undefined : decodeRatchetTree(hex(vector["ratchet_tree"]), 0)?.[0]
  const secrets = {
    signaturePrivateKey: hex(vector["signature_priv"]),
    hpkePrivateKey: hex(vector["encryption_priv"]),
    initPrivateKey: hex(vector["init_priv"]),
  }
  return joinGroup(welcome.welcome, keyPackage.keyPackage, secrets, psks, suite, tree)
}

function psksOf(vector: Vector, state: ClientState | undefined): PskIndex {
  const known = list(vector, "external_psks").map((psk) => [
    Buffer.from(hex(psk["psk_id"])).toString("base64"),
    hex(psk["psk"]),
  ])
  return makePskIndex(state, Object.fromEntries(known))
}

async function followPassively(vector: Vector): Promise<void> {
  let state = await joinPassively(vector, psksOf(vector, undefined))
  assert.equal(text(state.keySchedule.epochAuthenticator), vector["initial_epoch_authenticator"])
  for (const epoch of list(vector, "epochs").slice(0, 40)) {
    const proposals = epoch["proposals"] as readonly string[]
    for (const bytes of [...proposals, epoch["commit"]]) {
      const message = messageOf(bytes)
      if (message.wireformat !== "mls_private_message" && message.wireformat !== "mls_public_message") continue
      state = (await processMessage(message, state, psksOf(vector, state), () => "accept", suite)).newState
    }
    assert.equal(text(state.keySchedule.epochAuthenticator), epoch["epoch_authenticator"])
  }
}

vectorTest("passive-client-welcome", followPassively)
vectorTest("passive-client-handling-commit", followPassively)
vectorTest("passive-client-random", followPassively, 1)

vectorTest("messages", async (vector) => {
  const names = [
    "mls_welcome",
    "mls_group_info",
    "mls_key_package",
    "public_message_application",
    "public_message_proposal",
  ]
  for (const name of [...names, "public_message_commit", "private_message"]) messageOf(vector[name])
})
