/** The life of a conversation: made, joined, written to, changed, left, come back to. What the library is known to do wrong is looked for. */
import assert from "node:assert/strict"
import { test } from "node:test"
import type { RatchetTree } from "ts-mls"
import { deriveSecret } from "ts-mls/crypto/kdf.js"
import { assertKeysOfNodes } from "../src/cipher/enter-group.ts"
import { joinByItself, joinConversation } from "../src/cipher/mls-join.ts"
import { decodeRecord } from "../src/cipher/saved-group.ts"
import { suite } from "../src/cipher/suite.ts"
import { assertUnmergedLeaves } from "../src/cipher/tree-check.ts"
import { signDeviceCredential } from "../src/credential/device-credential.ts"
import { maxSkippedMessages, retainedEpochs } from "../src/limits.ts"
import { pair, trio } from "./support/conversations.ts"
import { bytes, commitAll, keyPackageOf, now, offer, read, restart, stateOf } from "./support/world.ts"

test("two people write to each other, and both have one safety code and one exported key", async () => {
  const { a, b } = await pair()
  assert.equal(await read(b, await a.encrypt(bytes("hello"))), "hello")
  assert.equal(await read(a, await b.encrypt(bytes("hi"))), "hi")
  assert.equal(a.safetyCode(), b.safetyCode())
  assert.deepEqual(await a.exportKey("x", bytes("y"), 32), await b.exportKey("x", bytes("y"), 32))
  assert.notDeepEqual(await a.exportKey("x", bytes("y"), 32), await a.exportKey("x", bytes("z"), 32))
})

test("one's own message that comes back is own, not an error", async () => {
  const { a } = await pair()
  assert.equal(await read(a, await a.encrypt(bytes("mine"))), "own")
})

test("M2 messages open in any order, M1 and M5 each of them once", async () => {
  const { a, b } = await pair()
  const sent = [await a.encrypt(bytes("1")), await a.encrypt(bytes("2")), await a.encrypt(bytes("3"))] as const
  assert.equal(await read(b, sent[2]), "3")
  assert.equal(await read(b, sent[0]), "1")
  assert.equal(await read(b, sent[1]), "2")
  for (const message of sent) assert.equal(await read(b, message), "chat.repeat")
})

test("a message that is further ahead than the gap limit waits for those before it", async () => {
  const { a, b } = await pair()
  const first = await a.encrypt(bytes("first"))
  for (let i = 0; i < maxSkippedMessages; i++) await a.encrypt(bytes("x"))
  const far = await a.encrypt(bytes("far"))
  assert.equal(await read(b, far), "chat.gap")
  assert.equal(await read(b, first), "first")
  assert.equal(await read(b, far), "far")
})

test("a message of the epoch before arrives late, one of three epochs ago does not", async () => {
  const { a, b } = await pair()
  const late: Uint8Array[] = []
  for (let epoch = 0; epoch <= retainedEpochs; epoch++) {
    late.push(await a.encrypt(bytes(`late ${epoch}`)))
    const { message } = await a.update()
    await commitAll(a, message, [b])
  }
  assert.equal(await read(b, late[0] ?? new Uint8Array()), "chat.epoch")
  assert.equal(await read(b, late[1] ?? new Uint8Array()), "late 1")
  assert.equal(await read(b, late[2] ?? new Uint8Array()), "late 2")
  assert.equal(await read(b, late[1] ?? new Uint8Array()), "chat.repeat")
})

test("libraries §6.2 (3) no more than two past epochs are kept, so that the state does not grow", async () => {
  const { a, b } = await pair()
  const sizes: number[] = []
  for (let i = 0; i < 8; i++) {
    await commitAll(a, (await a.update()).message, [b])
    sizes.push(b.save().length)
  }
  const [, , third = 0, ...later] = sizes
  // The remembered epochs add about a hundred bytes each, an epoch's secrets would add thousands.
  assert.ok(
    later.every((size, i) => size - third < 200 * (i + 1)),
    String(sizes),
  )
})

test("an update gives new keys, and both go on", async () => {
  const { a, b } = await pair()
  const before = a.safetyCode()
  await commitAll(b, (await b.update()).message, [a])
  assert.notEqual(a.safetyCode(), before)
  assert.equal(a.safetyCode(), b.safetyCode())
  assert.equal(await read(b, await a.encrypt(bytes("after"))), "after")
})

test("of two commits for one epoch one wins, and who lost makes his again", async () => {
  const { a, b, c } = await trio()
  const byA = await a.update()
  const byB = await b.update()
  assert.equal(await offer(b, byA.message), "applied")
  assert.equal(b.pending, undefined)
  await commitAll(a, byA.message, [c])
  const again = await b.update()
  await commitAll(b, again.message, [a, c])
  assert.notDeepEqual(again.message, byB.message)
  assert.deepEqual([a.safetyCode(), b.safetyCode()], [c.safetyCode(), c.safetyCode()])
})

test("M11 3 racing members, 30 epochs: one winner each, all members end equal", async () => {
  const { a, b, c } = await trio()
  const all = [a, b, c]
  for (let round = 0; round < 30; round++) {
    const made = await Promise.all(all.map((member) => member.update()))
    const winner = round % 3
    const message = made[winner]?.message ?? new Uint8Array()
    for (const [i, member] of all.entries()) {
      if (i === winner) await member.accept()
      else assert.equal(await offer(member, message), "applied")
    }
  }
  assert.equal(new Set(all.map((member) => member.safetyCode())).size, 1)
  assert.equal(a.epoch, 31)
})

test("our own commit that comes back from the server is a repeat that waits, and after accept one that is done", async () => {
  const { a } = await pair()
  const { message } = await a.update()
  assert.deepEqual(await a.process(message), { kind: "repeat", isPending: true })
  await a.accept()
  assert.deepEqual(await a.process(message), { kind: "repeat", isPending: false })
})

test("a commit that comes before the one before it is ahead", async () => {
  const { a, b } = await pair()
  const first = await a.update()
  await a.accept()
  const second = await a.update()
  await a.accept()
  assert.deepEqual(await b.process(second.message), { kind: "ahead", epoch: 2 })
  assert.equal(await read(b, await a.encrypt(bytes("x"))), "ahead")
  assert.equal(await offer(b, first.message), "applied")
  assert.equal(await offer(b, second.message), "applied")
})

test("a message sent while a commit waits is read once, before and after the commit is accepted", async () => {
  const { a, b } = await pair()
  const { message } = await a.update()
  const meanwhile = await b.encrypt(bytes("meanwhile"))
  assert.equal(await read(a, meanwhile), "meanwhile")
  await commitAll(a, message, [b])
  assert.equal(await read(a, meanwhile), "chat.repeat")
})

test("M16 a removed device reads nothing more, exports nothing, and its commits and messages are refused", async () => {
  const { a, b, c, carol } = await trio()
  const before = await c.encrypt(bytes("from carol"))
  const oldCommit = await c.update()
  const { message } = await a.remove([c.members().find(({ isSelf }) => isSelf)?.device ?? ""], {
    remove: [carol.chain],
  })
  await commitAll(a, message, [b])
  const outcome = await c.process(message)
  assert.ok(outcome.kind === "applied" && outcome.isRemoved)
  assert.equal(await read(c, await a.encrypt(bytes("secret"))), "ahead")
  await assert.rejects(c.exportKey("x", bytes("y"), 32), { code: "chat.removed" })
  await assert.rejects(c.encrypt(bytes("x")), { code: "chat.removed" })
  await assert.rejects(c.update(), { code: "chat.removed" })
  assert.equal(await read(a, before), "from carol") // of the epoch before
  assert.notEqual(await offer(a, oldCommit.message), "applied")
})

test("libraries §6.2 (1) a removed device that goes on by hand derives neither the next epoch nor its exporter", async () => {
  const { a, b, c, desks, carol } = await trio()
  const stale = await restart(desks[2], c) // a copy that does not hear of its removal
  const { message } = await a.remove([desks[2].device.name], { remove: [carol.chain] })
  await commitAll(a, message, [b])
  const secret = await a.encrypt(bytes("secret"))
  const outcome = await stale.process(message)
  assert.ok(outcome.kind === "applied" && outcome.isRemoved)
  assert.notEqual(await read(stale, secret), "secret")
  // The keys that it holds are those of the epoch that ended.
  assert.notEqual(stale.safetyCode(), a.safetyCode())
})

test("a device joins by itself, and everybody goes on with it", async () => {
  const { alice, a, b, desks } = await pair()
  const phone = await alice.addDevice()
  const info = await a.groupInfo()
  const join = await joinByItself(info, phone.credential, { ...desks[0], keys: phone.keys, store: desks[0].store })
  assert.equal(await offer(a, join.message), "applied")
  assert.equal(await offer(b, join.message), "applied")
  const p = await join.accept()
  assert.equal(p.safetyCode(), b.safetyCode())
  assert.equal(await read(b, await p.encrypt(bytes("from the phone"))), "from the phone")
  assert.equal(await read(p, await b.encrypt(bytes("welcome"))), "welcome")
})

test("a device that lost its state comes back by itself, in the place of its old leaf", async () => {
  const { a, b, desks } = await pair()
  const join = await joinByItself(await b.groupInfo(), desks[0].device.credential, desks[0])
  assert.equal(await offer(b, join.message), "applied")
  const back = await join.accept()
  assert.equal(back.members().length, 2)
  assert.equal(await read(b, await back.encrypt(bytes("back"))), "back")
  assert.equal(await read(b, await a.encrypt(bytes("old state"))), "old state") // late, of the epoch before
})

test("a credential is renewed with new keys, in the same place", async () => {
  const { alice, a, b, desks } = await pair()
  for (const desk of desks) desk.at = now + 89 * 86_400
  const renewed = await signDeviceCredential({ chain: alice.chain, keys: desks[0].keys, now: now + 89 * 86_400 })
  await commitAll(a, (await a.update(renewed)).message, [b])
  for (const desk of desks) desk.at = now + 91 * 86_400
  assert.equal(await read(b, await a.encrypt(bytes("later"))), "later")
  await assert.rejects(b.encrypt(bytes("late")), { code: "chat.credential" }) // bob's own has expired
})

test("people are added and named in one commit; who is added reads on from there", async () => {
  const { alice, a, b, newcomer } = await trio()
  const { dave, desk } = newcomer
  const own = await keyPackageOf(desk.device)
  const { message, welcome } = await a.add([own.bytes], { set: [{ chain: dave.chain, role: "member" }] })
  await commitAll(a, message, [b])
  const { cipher, used } = await joinConversation(welcome ?? new Uint8Array(), [own], desk)
  assert.equal(used.ref, own.ref)
  assert.equal(cipher.stateDigest, b.stateDigest)
  assert.deepEqual(cipher.state.members.find(({ chain }) => chain === dave.chain)?.role, "member")
  assert.equal(await read(cipher, await b.encrypt(bytes("hello dave"))), "hello dave")
  assert.equal(cipher.state.members.length, 4)
  assert.ok(alice.chain !== dave.chain)
})

test("the engine's own part of what a new member gets arrives with the Welcome", async () => {
  const { a, newcomer } = await trio()
  const own = await keyPackageOf(newcomer.desk.device)
  const change = { set: [{ chain: newcomer.dave.chain, role: "member" as const }] }
  const { welcome } = await a.commit({ add: [own.bytes], change, extra: bytes("positions") })
  const { extra } = await joinConversation(welcome ?? new Uint8Array(), [own], newcomer.desk)
  assert.deepEqual(extra, bytes("positions"))
})

test("M9 a key package is used once", async () => {
  const { a, newcomer } = await trio()
  const own = await keyPackageOf(newcomer.desk.device)
  const change = { set: [{ chain: newcomer.dave.chain, role: "member" as const }] }
  const { welcome = new Uint8Array() } = await a.add([own.bytes], change)
  await joinConversation(welcome, [own], newcomer.desk)
  await assert.rejects(joinConversation(welcome, [], newcomer.desk), { code: "chat.key_package" })
})

test("the id of a conversation is the digest of its first state; the same people make two different ones", async () => {
  const { a, alice } = await pair()
  assert.match(a.group, /^sha256:/)
  assert.notEqual(
    stateOf([{ chain: alice.chain, role: "owner" }]).salt,
    stateOf([{ chain: alice.chain, role: "owner" }]).salt,
  )
})

test("nothing is sent while the chain of a member is not known here, and it says which", async () => {
  const { a, alice, desks } = await pair()
  const blind = await restart(
    { ...desks[0], chains: (chain) => (chain === alice.chain ? alice.replay : undefined), now: () => now },
    a,
  )
  await assert.rejects(blind.encrypt(bytes("x")), { code: "chain.unknown" })
})

test("a Welcome with a path secret that is none of the tree's is refused: its device could apply no commit of others later", async () => {
  const secret = new Uint8Array(32).fill(1)
  const { publicKey } = await suite.hpke.deriveKeyPair(await deriveSecret(secret, "node", suite.kdf))
  const hpkePublicKey = await suite.hpke.exportPublicKey(publicKey)
  const empty = new Uint8Array()
  const tree: RatchetTree = [
    undefined,
    { nodeType: "parent", parent: { hpkePublicKey, parentHash: empty, unmergedLeaves: [] } },
  ]
  await assertKeysOfNodes(tree, { 1: secret })
  await assertKeysOfNodes(tree, { 0: new Uint8Array(32), 1: secret })
  await assert.rejects(assertKeysOfNodes(tree, { 1: new Uint8Array(32).fill(2) }), { code: "chat.commit" })
})

test("unmerged leaves: each below its node, and in every node between that is not blank", async () => {
  const { a, b, c, alice } = await trio()
  await commitAll(b, (await b.update()).message, [a, c])
  await commitAll(c, (await c.update()).message, [a, b])
  const own = await keyPackageOf(await alice.addDevice())
  await commitAll(a, (await a.add([own.bytes])).message, [b, c])
  const tree = decodeRecord(b.save()).state.ratchetTree
  assertUnmergedLeaves(tree)
  const withEntries = (at: number, unmergedLeaves: number[]) =>
    tree.map((node, i) =>
      i === at && node?.nodeType === "parent" ? { ...node, parent: { ...node.parent, unmergedLeaves } } : node,
    )
  const [root, left] = [3, 1]
  assert.ok(tree[root]?.nodeType === "parent" && tree[left]?.nodeType === "parent")
  assertUnmergedLeaves(withEntries(left, [0])) // more below than above is sound: the root was made since
  for (const bad of [
    withEntries(root, [0]),
    withEntries(left, [2]),
    withEntries(root, [9]),
    withEntries(root, [2 ** 31]),
  ]) {
    assert.throws(() => assertUnmergedLeaves(bad), { code: "chat.commit" })
  }
})
