/** Shared files from end to end: listed, told, read, fetched, and not a moment longer than they are shared. F2, F5, F11, F12 of adversarial.md. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { canonicalize, type Digest, digestOf, envelopeDigest, formatEnvelope, KezError } from "@kez/core"
import { deviceSigner } from "../src/credential/device-keys.ts"
import { keptLists, pickFiles, unitedFiles } from "../src/files/their-lists.ts"
import { hashOf } from "./support/model-net.ts"
import { askAlice, type SharePair, sharePair, shareSide } from "./support/share-world.ts"

const note = "/home/alice/note.txt"

async function shared(audience: "contacts" | "bob" | "nobody" = "bob"): Promise<SharePair> {
  const pair = await sharePair()
  const { a, b } = pair
  a.mover.write(note, "a note")
  a.mover.write("/home/alice/photos/one.jpg", "1")
  a.mover.write("/home/alice/photos/deep/two.jpg", "22")
  const who =
    audience === "contacts" ? audience : audience === "bob" ? [b.home.person.chain] : [`sha256:${"e".repeat(64)}`]
  await a.files.shares.share([note, "/home/alice/photos"], who)
  return pair
}

const pathsOf = async ({ a, b }: SharePair): Promise<readonly string[]> =>
  unitedFiles(await keptLists(b.home.engine, a.home.person.chain)).map(({ path }) => path)

const refusals = ({ b }: SharePair): readonly string[] =>
  b.heard.flatMap((event) => (event.kind === "refused" ? [event.fault.code] : []))

test("what is shared with Bob is seen by Bob, signed by the device, and fetched when he says so", async () => {
  const pair = await shared()
  await askAlice(pair)
  assert.deepEqual(refusals(pair), [])
  assert.deepEqual(await pathsOf(pair), ["note.txt", "photos/deep/two.jpg", "photos/one.jpg"])
  const { a, b, conversation, world } = pair
  const [list] = await keptLists(b.home.engine, a.home.person.chain)
  assert.deepEqual([list?.seq, list?.device, list?.isAnchored], [0, a.home.device.name, false])
  const files = pickFiles(list?.files ?? [], "photos")
  const wish = { conversation, sender: a.home.person.chain, files, into: "/in" }
  await b.files.run(() => b.files.receiving.fetchShared(wish))
  await world.rest()
  assert.equal(b.views.at(-1)?.state, "done")
  const text = (path: string): string => new TextDecoder().decode(b.mover.disk.get(path))
  assert.deepEqual([text("/in/photos/one.jpg"), text("/in/photos/deep/two.jpg")], ["1", "22"])
  assert.equal(b.mover.disk.get("/in/note.txt"), undefined)
  await world.close()
})

test("nothing is fetched by itself but the list, and nothing of that stays on the disk", async () => {
  const pair = await shared()
  await askAlice(pair)
  assert.deepEqual([...pair.b.mover.disk.keys()], [])
  await pair.world.close()
})

test("who did not ask is told nothing, and takes nothing", async () => {
  const pair = await shared()
  const { a, b, world, conversation } = pair
  await a.files.shares.open()
  await b.files.run(() => b.files.receiving.resume())
  await b.home.engine.tellPresence(conversation, b.mover.address())
  await world.rest()
  assert.deepEqual(b.heard, [])
  assert.equal(b.mover.fetches, 0)
  await world.close()
})

test("all contacts: Bob is one", async () => {
  const pair = await shared("contacts")
  await askAlice(pair)
  assert.equal((await pathsOf(pair)).length, 3)
  await pair.world.close()
})

test("what is shared with somebody else is not in Bob's list, and its hash gets him nothing", async () => {
  const pair = await shared("nobody")
  await askAlice(pair)
  assert.deepEqual(await pathsOf(pair), [])
  assert.equal(pair.a.mover.give(hashOf(new TextEncoder().encode("a note")), pair.b.mover.endpoint), undefined)
  await pair.world.close()
})

test("who never shared anything says so", async () => {
  const pair = await sharePair()
  await askAlice(pair)
  assert.deepEqual(
    pair.b.heard.map((event) => event.kind === "list" && [event.list.seq, event.list.files]),
    [[undefined, []]],
  )
  await pair.world.close()
})

test("who asked while nobody was there hears of it when Alice comes and says so", async () => {
  const pair = await shared()
  const { a, b, world, conversation } = pair
  await b.files.run(() => b.files.browsing.ask(conversation))
  for (let at = 0; at < 5; at++) {
    world.clock.advance(100)
    await world.rest()
  }
  assert.deepEqual(b.heard, [])
  await a.files.shares.open()
  await a.files.shares.announce()
  await world.rest()
  assert.equal((await pathsOf(pair)).length, 3)
  await world.close()
})

test("two devices of Alice share each its own, and Bob sees both", async () => {
  const pair = await shared()
  const { a, b, world, conversation, net } = pair
  const second = await world.homeOf(a.home.person, await a.home.person.addDevice())
  world.publish(a.home.person)
  await world.rest()
  await a.home.say(b.home, "now there are two")
  await world.rest()
  const c = shareSide(net, second, "c")
  c.mover.write("/other/second.txt", "2nd")
  await second.engine.contacts.add("bobby@localhost")
  const { id } = await second.engine.openDirect(b.home.person.chain)
  assert.equal(id, conversation)
  await c.files.shares.share(["/other/second.txt"], [b.home.person.chain])
  await c.files.shares.open()
  await world.rest()
  await askAlice(pair)
  assert.deepEqual(refusals(pair), [])
  assert.deepEqual(await pathsOf(pair), ["note.txt", "photos/deep/two.jpg", "photos/one.jpg", "second.txt"])
  await world.close()
})

test("unshared: the next list has it no more, a fetch that waits ends as file.refused, and the hash gets nothing", async () => {
  const pair = await shared()
  await askAlice(pair)
  const { a, b, world, conversation } = pair
  const files = pickFiles(unitedFiles(await keptLists(b.home.engine, a.home.person.chain)), "note.txt")
  const hash = files[0]?.hash ?? ""
  assert.notEqual(a.mover.give(hash, b.mover.endpoint), undefined)
  // It cannot begin: nobody lets it in.
  for (const set of a.mover.sets.values()) set.peers = []
  await b.files.run(() =>
    b.files.receiving.fetchShared({ conversation, sender: a.home.person.chain, files, into: "/in" }),
  )
  await a.files.shares.unshare(["note.txt"])
  await world.rest()
  assert.deepEqual(await pathsOf(pair), ["photos/deep/two.jpg", "photos/one.jpg"])
  assert.deepEqual([b.views.at(-1)?.state, b.views.at(-1)?.code], ["failed", "file.refused"])
  assert.equal(a.mover.give(hash, b.mover.endpoint), undefined)
  await world.close()
})

test("a stranger, a blocked contact and a revoked device get nothing with the right hash", async () => {
  const pair = await shared()
  await askAlice(pair)
  const { a, b, world } = pair
  const hash = hashOf(new TextEncoder().encode("a note"))
  assert.equal(a.mover.give(hash, "5".repeat(64)), undefined)
  assert.notEqual(a.mover.give(hash, b.mover.endpoint), undefined)
  await a.home.engine.contacts.block(b.home.person.chain)
  await world.rest()
  assert.equal(a.mover.give(hash, b.mover.endpoint), undefined)
  await a.home.engine.contacts.accept(b.home.person.chain)
  await world.rest()
  assert.notEqual(a.mover.give(hash, b.mover.endpoint), undefined)
  await b.home.person.append({ op: "revoke_device", keys: [b.home.device.name] })
  world.publish(b.home.person)
  await world.rest()
  assert.equal(a.mover.give(hash, b.mover.endpoint), undefined)
  await world.close()
})

test("the list of a device that is revoked is shown no more", async () => {
  const pair = await shared()
  await askAlice(pair)
  const { a, world } = pair
  await a.home.person.append({ op: "revoke_device", keys: [a.home.device.name] })
  world.publish(a.home.person)
  await world.rest()
  assert.deepEqual(await pathsOf(pair), [])
  await world.close()
})

test("a file that was changed is listed anew under the next number, and told to who asked", async () => {
  const pair = await shared()
  await askAlice(pair)
  const { a, b, world } = pair
  a.mover.write(note, "another note")
  world.clock.advance(61)
  await world.rest()
  const [list] = await keptLists(b.home.engine, a.home.person.chain)
  assert.equal(list?.seq, 1)
  assert.equal(list?.files.find(({ path }) => path === "note.txt")?.size, "another note".length)
  await world.close()
})

test("nothing is signed anew where nothing changed, also after a restart", async () => {
  const pair = await shared()
  const { a } = pair
  await a.files.shares.renew()
  await a.files.shares.open()
  assert.equal((await a.files.shares.current())?.seq, 0)
  await pair.world.close()
})

/** What Alice's device says in the place of what it would say. */
async function tellAs(
  { a, conversation, world }: SharePair,
  sections: readonly { at: number; key: string }[],
  root: string | undefined,
  ...lines: readonly string[]
): Promise<void> {
  const told = root === undefined ? { sections } : { sections, root }
  await a.home.engine.tellShares(conversation, told, new TextEncoder().encode(lines.join("\n")))
  await world.rest()
}

const nothing = { root: `sha256:${"0".repeat(64)}`, size: 0 }
const signed = async ({ a }: SharePair, seq: number, prev?: Digest) =>
  a.home.engine.signManifest({ seq, ...(prev === undefined ? {} : { prev }), ...nothing })

test("F11: a manifest older than the one that is known is file.rollback", async () => {
  const pair = await shared()
  await askAlice(pair)
  const first = (await pair.a.files.shares.current())?.text ?? ""
  pair.a.mover.write(note, "newer")
  await pair.a.files.shares.renew()
  await pair.world.rest()
  await tellAs(pair, [], undefined, first)
  assert.deepEqual(refusals(pair), ["file.rollback"])
  await tellAs(pair, [], undefined)
  assert.deepEqual(refusals(pair), ["file.rollback", "file.rollback"], "nor is nothing at all believed")
  await pair.world.close()
})

test("F11: two manifests of one number are file.fork", async () => {
  const pair = await shared()
  await askAlice(pair)
  await tellAs(pair, [], undefined, formatEnvelope(await signed(pair, 0)))
  assert.deepEqual(refusals(pair), ["file.fork"])
  assert.equal((await pathsOf(pair)).length, 3, "what was believed stands")
  await pair.world.close()
})

test("F11: the next number after another manifest is file.fork", async () => {
  const pair = await shared()
  await askAlice(pair)
  await tellAs(pair, [], undefined, formatEnvelope(await signed(pair, 1, `sha256:${"1".repeat(64)}`)))
  assert.deepEqual(refusals(pair), ["file.fork"])
  await pair.world.close()
})

test("F11: a manifest that another member signed is file.manifest", async () => {
  const pair = await shared()
  await askAlice(pair)
  const { b } = pair
  const foreign = await b.home.engine.signManifest({ seq: 7, prev: `sha256:${"1".repeat(64)}`, ...nothing })
  await tellAs(pair, [], undefined, formatEnvelope(foreign))
  const forged = { ...foreign, payload: { ...foreign.payload, chain: pair.a.home.person.chain } }
  await tellAs(pair, [], undefined, formatEnvelope(forged))
  assert.deepEqual(refusals(pair), ["file.manifest", "file.manifest"])
  await pair.world.close()
})

test("F11: a list that was changed after it was signed is file.manifest, and what was seen before stands", async () => {
  const pair = await shared()
  const { a } = pair
  const bytes = new TextEncoder().encode(canonicalize({ type: "kez.files.root", version: 1, sections: [] }))
  a.mover.disk.set("/lists/lie.json", bytes)
  await a.files.shares.open()
  await askAlice(pair)
  const [lie] = (await a.mover.import(["/lists/lie.json"])).files
  await a.mover.offer("lie", [lie?.hash ?? ""], [pair.b.mover.endpoint])
  const own = await a.files.shares.current()
  const manifest = await a.home.engine.signManifest({
    seq: 1,
    prev: own?.digest ?? "",
    root: digestOf("another"),
    size: bytes.length,
  })
  await tellAs(pair, [{ at: 0, key: "0".repeat(64) }], lie?.hash, formatEnvelope(manifest))
  assert.deepEqual(refusals(pair), ["file.manifest"])
  assert.equal((await pathsOf(pair)).length, 3)
  await pair.world.close()
})

test("F11: where the chain names a manifest, a later one needs it beside it, and an older one is file.rollback", async () => {
  const pair = await shared()
  const { a, b, world } = pair
  const first = await a.files.shares.current()
  a.mover.write(note, "newer")
  await a.files.shares.renew()
  const second = await a.files.shares.current()
  await a.home.person.append(
    { op: "set_shared_files", manifest: second?.digest ?? "", size: 1 },
    deviceSigner(a.home.device.keys),
  )
  world.publish(a.home.person)
  a.mover.write(note, "newest")
  await a.files.shares.renew()
  await askAlice(pair)
  const [list] = await keptLists(b.home.engine, a.home.person.chain)
  assert.deepEqual([list?.seq, list?.isAnchored, refusals(pair)], [2, false, []])
  const third = await a.files.shares.current()
  await tellAs(pair, [], undefined, third?.text ?? "")
  assert.deepEqual(refusals(pair), ["file.manifest"], "alone it is not believed")
  await tellAs(pair, [], undefined, first?.text ?? "", second?.text ?? "")
  assert.deepEqual(refusals(pair).at(-1), "file.rollback")
  await world.close()
})

/** A manifest of Alice for a list of her choice, told with what opens it. */
async function tellList(pair: SharePair, page: object, root?: object): Promise<void> {
  const { a, b } = pair
  const { createPageKey, sealPage } = await import("../src/files/page-seal.ts")
  const key = createPageKey()
  const sealed = sealPage(key, new TextEncoder().encode(canonicalize(page)), a.home.person.chain)
  a.mover.disk.set("/lists/page.bin", sealed)
  const sections = [{ pages: [{ hash: hashOf(sealed), size: sealed.length }] }]
  const bytes = new TextEncoder().encode(canonicalize(root ?? { type: "kez.files.root", version: 1, sections }))
  a.mover.disk.set("/lists/root.json", bytes)
  const { files } = await a.mover.import(["/lists/page.bin", "/lists/root.json"])
  await a.mover.offer(
    "made",
    files.map(({ hash }) => hash),
    [b.mover.endpoint],
  )
  const own = await a.files.shares.current()
  const manifest = await a.home.engine.signManifest({
    seq: 1,
    prev: own?.digest ?? "",
    root: digestOf(bytes),
    size: bytes.length,
  })
  assert.ok(envelopeDigest(manifest))
  await tellAs(pair, [{ at: 0, key: Buffer.from(key).toString("hex") }], hashOf(bytes), formatEnvelope(manifest))
}

const entry = { path: "a", size: 1, hash: "1".repeat(64), media_type: "text/plain" }
const pageOf = (entries: readonly object[]): object => ({ type: "kez.files.page", version: 1, entries })

test("F12: 1,025 entries of a page are limit.entries", async () => {
  const pair = await shared()
  await askAlice(pair)
  await tellList(pair, pageOf(Array.from({ length: 1_025 }, (_, at) => ({ ...entry, path: `${at}` }))))
  assert.deepEqual(refusals(pair), ["limit.entries"])
  await pair.world.close()
})

test("F12: a list that names lists again is limit.depth, and too many pages limit.entries", async () => {
  const pair = await shared()
  await askAlice(pair)
  await tellList(pair, { type: "kez.files.root", version: 1, sections: [] })
  assert.deepEqual(refusals(pair), ["limit.depth"])
  await pair.world.close()
  const other = await shared()
  await askAlice(other)
  const pages = Array.from({ length: 65 }, (_, at) => ({ hash: hashOf(Uint8Array.of(at)), size: 50 }))
  await tellList(other, pageOf([entry]), { type: "kez.files.root", version: 1, sections: [{ pages }] })
  assert.deepEqual(refusals(other), ["limit.entries"])
  await other.world.close()
})

test("F12: a root document of 1 GiB, and a section named twice, are refused before anything is fetched", async () => {
  const pair = await shared()
  await askAlice(pair)
  const { a, b } = pair
  const before = b.mover.fetches
  const prev = (await a.files.shares.current())?.digest ?? ""
  const large = await a.home.engine.signManifest({ seq: 1, prev, root: digestOf("x"), size: 2 ** 30 })
  const key = "0".repeat(64)
  await tellAs(pair, [{ at: 0, key }], key, formatEnvelope(large))
  const next = await a.home.engine.signManifest({ seq: 2, prev: envelopeDigest(large), root: digestOf("x"), size: 100 })
  const twice = [
    { at: 0, key },
    { at: 0, key },
  ]
  await tellAs(pair, twice, key, formatEnvelope(next))
  assert.deepEqual([refusals(pair), b.mover.fetches], [["limit.size", "file.manifest"], before])
  await pair.world.close()
})

test("F5: paths that lead elsewhere are file.name, and odd ones are written another way", async () => {
  for (const path of ["../x", "/etc/x", "a//b", "a/./b"]) {
    const pair = await shared()
    await askAlice(pair)
    await tellList(pair, pageOf([{ ...entry, path }]))
    assert.deepEqual(refusals(pair), ["file.name"], path)
    await pair.world.close()
  }
  const pair = await shared()
  await askAlice(pair)
  const { a, b, conversation, world } = pair
  const bytes = new TextEncoder().encode("x")
  a.mover.write("/x", "x")
  await a.mover.import(["/x"])
  await a.mover.offer("x", [hashOf(bytes)], [b.mover.endpoint])
  const odd = ["f/C:\\x", "f/CON", "f/\u202egpj.exe", "f/-rf"].map((path) => ({ ...entry, path, hash: hashOf(bytes) }))
  await tellList(pair, pageOf(odd))
  assert.deepEqual(refusals(pair), [])
  const files = pickFiles(unitedFiles(await keptLists(b.home.engine, a.home.person.chain)), "f")
  await b.files.run(() =>
    b.files.receiving.fetchShared({ conversation, sender: a.home.person.chain, files, into: "/in" }),
  )
  await world.rest()
  assert.deepEqual([...b.mover.disk.keys()].filter((path) => path.startsWith("/in/")).toSorted(), [
    "/in/f/C__x",
    "/in/f/_-rf",
    "/in/f/_CON",
    "/in/f/_gpj.exe",
  ])
  await world.close()
})

test("pickFiles() takes a file by its own name, and a folder under its own", () => {
  const files = ["a.txt", "p/a.txt", "p/q/b.txt", "pq/c.txt"].map((path) => ({ ...entry, path }))
  const names = (typed: string): readonly string[] => pickFiles(files, typed).map(({ path }) => path)
  assert.deepEqual(names("a.txt"), ["a.txt"])
  assert.deepEqual(names("p/q/b.txt"), ["b.txt"])
  assert.deepEqual(names("./p/"), ["p/a.txt", "p/q/b.txt"])
  assert.deepEqual(names("p/q"), ["q/b.txt"])
  assert.deepEqual(names("nothing"), [])
})

test("what is unshared is what is called so, else what lies there; where those are two, neither", async () => {
  const pair = await sharePair()
  const { a, world } = pair
  const [first, second, third] = ["/one/photos", "/two/photos", "/three/photos"]
  for (const path of [first, second, third]) {
    a.mover.write(`${path}/1.jpg`, path)
    await a.files.shares.share([path], "contacts")
  }
  const unshare = (given: string) => a.files.shares.unshare([given], (one) => `/two/${one.replace("/", "")}`)
  const hint = `The one: ${first}\nThe other: photos (2), which lies at ${second}`
  await assert.rejects(unshare("photos/"), { code: "usage", hint })
  assert.equal((await a.files.shares.list()).length, 3)
  assert.deepEqual((await unshare("photos (2)"))[0]?.path, second)
  assert.deepEqual((await unshare("photos"))[0]?.path, first)
  assert.deepEqual((await a.files.shares.unshare([third]))[0]?.name, "photos (3)")
  await world.close()
})

test("a folder that is written into while it is looked at stays listed as it was; one that is gone is not", async () => {
  const pair = await shared()
  await askAlice(pair)
  const { a, world } = pair
  const real = a.mover.import.bind(a.mover)
  let code: "file.changed" | "input.unreadable" = "file.changed"
  a.mover.import = async (paths) => {
    if (paths.includes("/home/alice/photos")) throw new KezError(code, "Cannot read it")
    return real(paths)
  }
  await a.files.shares.renew()
  await world.rest()
  assert.equal((await pathsOf(pair)).length, 3)
  assert.deepEqual(
    (await a.files.shares.list()).map((row) => row.code),
    [undefined, undefined],
  )
  code = "input.unreadable"
  await a.files.shares.renew()
  await world.rest()
  assert.deepEqual(await pathsOf(pair), ["note.txt"])
  await world.close()
})
