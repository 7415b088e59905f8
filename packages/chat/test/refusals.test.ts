/** What a member, a stranger or a server may try with commits, and how each client refuses it. adversarial C.10, by number. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { envelopeDigest, formatTime, signEnvelope, suites } from "@kez/core"
import { encodeMlsMessage, generateKeyPackageWithKey, type KeyPackage, type Proposal, type ProposalOrRef } from "ts-mls"
import { headOf } from "../src/chains.ts"
import { encodeHandshake, sealAttachment } from "../src/cipher/attachments.ts"
import { partsOfCommit } from "../src/cipher/commit-form.ts"
import { encodeJoinBundle } from "../src/cipher/join-bundle.ts"
import { joinByItself, joinConversation } from "../src/cipher/mls-join.ts"
import { suite } from "../src/cipher/suite.ts"
import { applyChange, digestOfBody } from "../src/conversation/state-body.ts"
import { signNextState } from "../src/conversation/state-log.ts"
import { encodeCredential, signDeviceCredential } from "../src/credential/device-credential.ts"
import { createDeviceKeys, deviceSigner } from "../src/credential/device-keys.ts"
import { capabilities, type OwnKeyPackage, verifyKeyPackage } from "../src/credential/key-package.ts"
import { pair, trio } from "./support/conversations.ts"
import { addOf, type Forgery, forgeCommit, removeOf } from "./support/forge.ts"
import {
  bytes,
  commitAll,
  createDevice,
  createPerson,
  deskOf,
  frozenChains,
  keyPackageOf,
  now,
  offer,
  type Person,
  read,
  restart,
} from "./support/world.ts"

const day = 86_400

/** A device that the person's chain does not list. */
async function ghostOf(person: Person) {
  return createDevice(person, createDeviceKeys())
}

async function packageWith(
  key: { signKey: Uint8Array; publicKey: Uint8Array },
  identity: Uint8Array,
): Promise<KeyPackage> {
  const lifetime = { notBefore: BigInt(now - 60), notAfter: BigInt(now + day) }
  const made = await generateKeyPackageWithKey(
    { credentialType: "basic", identity },
    capabilities,
    lifetime,
    [],
    key,
    suite,
  )
  return made.publicPackage
}

const messageOf = (keyPackage: KeyPackage) =>
  encodeMlsMessage({ version: "mls10", wireformat: "mls_key_package", keyPackage })

test("M6 a key package with Bob's credential and the server's key is refused", async () => {
  const { desks, chains } = await pair()
  const server = await suite.signature.keygen()
  const forged = messageOf(await packageWith(server, encodeCredential(desks[1].device.credential)))
  await assert.rejects(verifyKeyPackage(forged, { chains, now }), { code: "chat.credential" })
})

test("M6 a credential that the server signed for Bob's chain is refused: his chain does not list the device", async () => {
  const { bob, chains } = await pair()
  const own = await keyPackageOf(await ghostOf(bob))
  await assert.rejects(verifyKeyPackage(own.bytes, { chains, now }), { code: "chat.credential" })
})

test("M7 a revoked device, an expired credential and one from the future are refused", async () => {
  const { bob, chains } = await pair()
  const device = await bob.addDevice()
  const good = await keyPackageOf(device)
  assert.equal((await verifyKeyPackage(good.bytes, { chains, now })).credential.device, device.name)
  await assert.rejects(verifyKeyPackage(good.bytes, { chains, now: now + 91 * day }), { code: "chat.key_package" })
  const short = await signDeviceCredential({ chain: bob.chain, keys: device.keys, now: now - 10, lifetimeSeconds: 5 })
  const stale = await packageWith(keyOf(device.keys), encodeCredential(short))
  await assert.rejects(verifyKeyPackage(messageOf(stale), { chains, now }), { code: "chat.credential" })
  const future = await signDeviceCredential({ chain: bob.chain, keys: device.keys, now: now + 3_600 })
  const early = await packageWith(keyOf(device.keys), encodeCredential(future))
  await assert.rejects(verifyKeyPackage(messageOf(early), { chains, now }), { code: "chat.credential" })
  await bob.revoke(device)
  await assert.rejects(verifyKeyPackage(good.bytes, { chains, now }), { code: "chat.credential" })
})

function keyOf(keys: { readonly mls: Uint8Array }) {
  return { signKey: keys.mls, publicKey: suites.ed25519.publicKey(keys.mls) }
}

test("M7 a device whose chain is not known here is not added before the chain was fetched", async () => {
  const { chains } = await pair()
  const stranger = await createPerson()
  const own = await keyPackageOf(await stranger.addDevice())
  await assert.rejects(verifyKeyPackage(own.bytes, { chains, now }), { code: "chain.unknown" })
})

test("M9 a key package of another suite, with unknown capabilities, too long a life or one key twice is refused", async () => {
  const { desks, chains } = await pair()
  const { keyPackage } = await keyPackageOf(desks[1].device)
  const { leafNode } = keyPackage
  if (leafNode.leafNodeSource !== "key_package") throw new Error("not of a key package")
  const changed: readonly KeyPackage[] = [
    { ...keyPackage, cipherSuite: "MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519" },
    { ...keyPackage, initKey: leafNode.hpkePublicKey },
    { ...keyPackage, extensions: [{ extensionType: 0xf001, extensionData: new Uint8Array(3) }] },
    { ...keyPackage, leafNode: { ...leafNode, capabilities: { ...capabilities, proposals: [0xf002] } } },
    { ...keyPackage, leafNode: { ...leafNode, lifetime: { notBefore: 0n, notAfter: 2n ** 62n } } },
    { ...keyPackage, signature: new Uint8Array(64) },
  ]
  for (const one of changed) {
    await assert.rejects(verifyKeyPackage(messageOf(one), { chains, now }), { code: "chat.key_package" })
  }
})

/** Carol, a member without a role, makes a commit that no honest client makes. What do the others answer? */
async function forgedBy(prepare: (world: Awaited<ReturnType<typeof trio>>) => Promise<Forgery>): Promise<string> {
  const world = await trio()
  const { message } = await forgeCommit(world.c, await prepare(world))
  const [byA, byB] = [await offer(world.a, message), await offer(world.b, message)]
  assert.equal(byA, byB)
  assert.equal(world.a.epoch, 1)
  assert.equal(await offer(world.a, message), "repeat") // a refused one is refused once, and blocks nobody
  await commitAll(world.a, (await world.a.update()).message, [world.b])
  return byA
}

test("M8 a ghost device that a member adds is refused by all", async () => {
  const code = await forgedBy(async ({ bob, carol }) => ({
    proposals: [addOf((await keyPackageOf(await ghostOf(bob))).keyPackage)],
    concerns: [bob, carol],
  }))
  assert.equal(code, "chat.credential")
})

test("M8 a ghost device that joins by itself is refused by all", async () => {
  const { a, b, bob, desks } = await pair()
  const ghost = await ghostOf(bob)
  const desk = { ...desks[1], keys: ghost.keys }
  const join = await joinByItself(await a.groupInfo(), ghost.credential, desk)
  assert.deepEqual([await offer(a, join.message), await offer(b, join.message)], ["chat.credential", "chat.credential"])
})

test("M8 somebody whom the state does not name cannot join by himself", async () => {
  const { a, newcomer } = await trio()
  const join = joinByItself(await a.groupInfo(), newcomer.desk.device.credential, newcomer.desk)
  await assert.rejects(join, { code: "chat.policy" })
})

test("M12 a member without a role adds somebody: refused on every client", async () => {
  const code = await forgedBy(async ({ newcomer, carol }) => ({
    proposals: [addOf((await keyPackageOf(newcomer.desk.device)).keyPackage)],
    concerns: [newcomer.dave, carol],
  }))
  assert.equal(code, "chat.policy")
})

test("M12 a member without a role signs a state that names somebody: refused on every client", async () => {
  const world = await trio()
  const { c, carol, a, b, newcomer } = world
  const { record } = await forgeCommit(c, { concerns: [carol] })
  const change = { set: [{ chain: newcomer.dave.chain, role: "member" as const }] }
  const signer = deviceSigner(world.desks[2].keys)
  await assert.rejects(signNextState(record.log, change, { chain: carol.chain, signer, now }), { code: "chat.policy" })
  // Signed all the same, right in everything but who may.
  const payload = {
    type: "kez.chat.conversation_state",
    version: 1,
    chain: carol.chain,
    group: c.group,
    number: 1,
    prev: c.stateDigest,
    state: digestOfBody(applyChange(record.log.body, change)),
    created_at: formatTime(now),
  } as const
  const entry = { envelope: await signEnvelope("conversation_state", payload, signer), change }
  const state = envelopeDigest(entry.envelope)
  const { message } = await forgeCommit(c, { concerns: [carol], entry, data: { state } })
  assert.deepEqual([await offer(a, message), await offer(b, message)], ["chat.policy", "chat.policy"])
})

test("a member without a role removes another: refused", async () => {
  const code = await forgedBy(async ({ bob, carol }) => ({ proposals: [removeOf(1)], concerns: [bob, carol] }))
  assert.equal(code, "chat.policy")
})

test("libraries §6.4 (c) group context extensions, ReInit, references and custom proposals are refused", async () => {
  const extensions = await forgedBy(async ({ carol }) => ({
    proposals: [{ proposalType: "group_context_extensions", groupContextExtensions: { extensions: [] } }],
    concerns: [carol],
  }))
  const custom = await forgedBy(async ({ carol }) => ({
    proposals: [{ proposalType: 0xf003, proposalData: new Uint8Array(4) }],
    concerns: [carol],
  }))
  const reinit = { groupId: new Uint8Array(32), version: "mls10", cipherSuite: suite.name, extensions: [] } as const
  const again = await forgedBy(async ({ carol }) => ({
    proposals: [{ proposalType: "reinit", reinit: { ...reinit, extensions: [] } }],
    concerns: [carol],
  }))
  assert.deepEqual([extensions, custom, again], ["chat.commit", "chat.commit", "chat.commit"])
})

test("a commit that does not name the heads it has to, or too many, is refused", async () => {
  assert.equal(await forgedBy(async () => ({ concerns: [] })), "chat.commit")
  assert.equal(await forgedBy(async ({ bob, carol }) => ({ concerns: [bob, carol] })), "chat.commit")
})

test("a commit that names another state than the one in force is refused", async () => {
  const state = `sha256:${"0".repeat(64)}`
  assert.equal(await forgedBy(async ({ carol }) => ({ concerns: [carol], data: { state } })), "chat.state")
})

test("a member cannot take the place of another device of his", async () => {
  const code = await forgedBy(async ({ carol, desks }) => {
    const other = await carol.addDevice()
    return {
      concerns: [carol],
      change: (state) => {
        const tree = state.ratchetTree.map((node, i) =>
          i === 4 && node?.nodeType === "leaf"
            ? {
                ...node,
                leaf: {
                  ...node.leaf,
                  credential: { credentialType: "basic" as const, identity: encodeCredential(other.credential) },
                },
              }
            : node,
        )
        assert.ok(desks[2].device.name !== other.name)
        return { ...state, ratchetTree: tree }
      },
    }
  })
  assert.equal(code, "chat.credential") // the leaf's key is not that device's
})

test("a device twice in one conversation is refused", async () => {
  const { desks, a } = await pair()
  const own = await keyPackageOf(desks[1].device)
  await assert.rejects(a.add([own.bytes]), { code: "chat.policy" })
})

test("a device that was revoked is removed by whoever sees it first, and nobody writes before that", async () => {
  const { a, b, c, bob, desks } = await trio()
  await bob.revoke(desks[1].device)
  assert.deepEqual(
    a.overdue().map(({ device }) => device),
    [desks[1].device.name],
  )
  await assert.rejects(a.encrypt(bytes("x")), { code: "chat.credential" })
  const { message } = await c.remove([desks[1].device.name]) // Carol has no role
  await commitAll(c, message, [a])
  assert.equal(await read(a, await c.encrypt(bytes("among us"))), "among us")
  assert.ok((await b.process(message)).kind === "applied")
})

test("a client that does not know of the revocation yet says which chain it needs, then applies the same commit", async () => {
  const { a, c, alice, bob, carol, desks } = await trio()
  const old = frozenChains(alice, bob, carol)
  await bob.revoke(desks[1].device)
  const { message } = await c.remove([desks[1].device.name])
  const late = await restart({ ...desks[0], chains: old, now: () => now }, a)
  const outcome = await late.process(message)
  assert.ok(outcome.kind === "needs_chains" && outcome.heads[0]?.chain === bob.chain)
  assert.equal(await offer(a, message), "applied")
})

test("a revoked device that names a head from before its revocation is refused once the conversation named a newer one", async () => {
  const { a, b, c, bob, desks } = await trio()
  const before = headOf(bob.replay)
  await bob.revoke(desks[1].device)
  // Somebody adds Bob's new device without removing the old one: by that the newer head is named.
  const own = await keyPackageOf(await bob.addDevice())
  const { message } = await a.add([own.bytes])
  await commitAll(a, message, [b, c])
  const backdated = await forgeCommit(b, { concerns: [], data: { heads: [before] } })
  assert.deepEqual(
    [await offer(a, backdated.message), await offer(c, backdated.message)],
    ["chain.rollback", "chain.rollback"],
  )
  const { message: dated } = await forgeCommit(b, { concerns: [bob] })
  assert.deepEqual([await offer(a, dated), await offer(c, dated)], ["chat.credential", "chat.credential"])
})

test("libraries §6.4 (b) a removal without a path is refused before it is processed", async () => {
  const { desks } = await pair()
  const { keyPackage } = await keyPackageOf(desks[0].device)
  const inline = (proposal: Proposal): ProposalOrRef => ({ proposalOrRefType: "proposal", proposal })
  const commit = (...proposals: readonly ProposalOrRef[]) => ({ proposals: [...proposals], path: undefined })
  for (const one of [commit(inline(removeOf(1))), commit(inline(removeOf(1)), inline(addOf(keyPackage))), commit()]) {
    assert.throws(() => partsOfCommit(one, "member"), { code: "chat.commit" })
  }
  assert.equal(partsOfCommit(commit(inline(addOf(keyPackage))), "member").adds.length, 1)
  const byReference = commit({ proposalOrRefType: "reference", reference: new Uint8Array(32) })
  assert.throws(() => partsOfCommit(byReference, "member"), { code: "chat.commit" })
})

test("M13 members in two branches of one epoch: a fork, not cannot decrypt", async () => {
  const { a, b, c } = await trio()
  const [one, two] = [await a.update(), await b.update()]
  await commitAll(a, one.message, []) // the server tells Alice that hers won
  await b.accept() // and Bob that his won
  assert.equal(await offer(c, one.message), "applied")
  assert.equal(await offer(c, two.message), "chat.fork")
  assert.equal(await offer(a, two.message), "chat.fork")
  assert.equal(await read(a, await b.encrypt(bytes("x"))), "chat.fork")
  assert.equal(await read(b, await c.encrypt(bytes("x"))), "chat.fork")
  const next = await b.update()
  assert.equal(await offer(a, next.message), "chat.fork")
})

test("bytes that no member made are no fork", async () => {
  const { a, b } = await pair()
  const { message } = await a.update()
  await commitAll(a, message, [b])
  const changed = message.slice()
  const at = changed.length - 20
  changed[at] = (changed[at] ?? 0) ^ 1
  assert.equal(await offer(b, changed), "chat.decrypt")
})

test("M14 a commit that does not open for somebody is refused there, with the way back", async () => {
  const { a, b, bob } = await trio()
  // Bob's commit holds Alice's path secret sealed to a key that she has not got.
  const { message } = await forgeCommit(b, {
    concerns: [bob],
    change: (state) => ({
      ...state,
      ratchetTree: state.ratchetTree.map((node, i) =>
        i === 0 && node?.nodeType === "leaf"
          ? { ...node, leaf: { ...node.leaf, hpkePublicKey: Uint8Array.from({ length: 32 }, (_, n) => n + 9) } }
          : node,
      ),
    }),
  })
  const outcome = await a.process(message)
  assert.ok(outcome.kind === "refused" && outcome.fault.code === "chat.commit" && outcome.by?.chain === bob.chain)
  assert.match(outcome.fault.hint ?? "", /join again/)
})

test("M15 a Welcome, commit or group info of more than its bytes is refused before it is read", async () => {
  const { a, desks, newcomer } = await trio()
  const big = encodeHandshake({ mls: new Uint8Array(600 * 1_024), attached: new Uint8Array() })
  const own: OwnKeyPackage = await keyPackageOf(newcomer.desk.device)
  await assert.rejects(joinConversation(big, [own], newcomer.desk), { code: "limit.size" })
  await assert.rejects(joinByItself(big, desks[0].device.credential, desks[0]), { code: "limit.size" })
  assert.equal(await offer(a, big), "limit.size")
  assert.equal(await read(a, new Uint8Array(200_000)), "limit.size")
})

test("a Welcome into a conversation with a device of nobody's is refused, also when its adder vouches", async () => {
  const { a, b, alice, bob, chains } = await pair()
  const ghost = await ghostOf(bob)
  const tablet = await alice.addDevice()
  const own = await keyPackageOf(tablet)
  const proposals = [addOf((await keyPackageOf(ghost)).keyPackage), addOf(own.keyPackage)]
  const { made, record } = await forgeCommit(a, { proposals, concerns: [alice, bob] })
  if (made.welcome === undefined) throw new Error("no Welcome")
  const mls = encodeMlsMessage({ version: "mls10", wireformat: "mls_welcome", welcome: made.welcome })
  const bundle = encodeJoinBundle(record.log, record.heads.values(), new Uint8Array())
  const welcome = encodeHandshake({ mls, attached: await sealAttachment(made.newState, "join", bundle) })
  await assert.rejects(joinConversation(welcome, [own], deskOf(tablet, chains)), { code: "chat.credential" })
  assert.equal(b.epoch, 1)
})
