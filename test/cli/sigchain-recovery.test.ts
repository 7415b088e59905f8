/** An owner gets the chain back from a thief of the primary who has burned the committed key. SPEC CHAIN-12, CHAIN-14, FORK-1 */
import assert from "node:assert/strict"
import { test } from "node:test"
import {
  appendEvent,
  type ChainReplay,
  commitmentTo,
  createSigner,
  envelopeDigest,
  formatChain,
  type Operation,
  parseChain,
  replayChain,
  type Signer,
} from "@kez/core"
import { keyOfWords } from "../../apps/cli/src/keys/key-text.ts"
import { skipWithout } from "../support/servers.ts"
import { aboutWords, type Home, makeHome, zeroWords } from "./support/home.ts"
import { openSession } from "./support/pty.ts"

const skip = process.platform === "linux" ? skipWithout("script") : "needs script(1) of util-linux"
const safeWords = `${"zoo ".repeat(23)}vote`
const signerOf = (words: string): Signer => createSigner("ed25519", keyOfWords("ed25519", words).secret)
const spareWords = `${"legal winner thank year wave sausage worth useful ".repeat(2)}legal winner thank year wave sausage worth title`
const [main, safe, phone] = [signerOf(zeroWords), signerOf(safeWords), signerOf(aboutWords)]
const spare = signerOf(spareWords)

async function json(home: Home, ...args: readonly string[]) {
  const { code, stdout, stderr } = await home.run([...args, "--json"])
  assert.notEqual(stdout, "", stderr)
  return { code, ...JSON.parse(stdout) }
}

/** A home with main (in use), whose chain lists a domain, safe and phone. */
async function begun(): Promise<Home> {
  const home = makeHome()
  await home.make("main", { words: zeroWords })
  await home.make("safe", { words: safeWords })
  await home.make("phone", { words: aboutWords })
  await home.run(["identity", "use", "main"])
  assert.equal((await home.run(["sigchain", "add", "dns:example.org"])).code, 0)
  return home
}

async function chainOf(home: Home): Promise<ChainReplay> {
  return replayChain(parseChain((await home.run(["sigchain", "export"])).stdout))
}

/** Signs events with the stolen key by other software, and has the owner learn of them. */
async function forge(
  home: Home,
  from: ChainReplay,
  operations: readonly Operation[],
  thief: Signer = main,
): Promise<ChainReplay> {
  let chain = from
  for (const operation of operations) {
    chain = (await appendEvent({ chain, operation, now: 1_790_000_000 }, thief)).replay
  }
  const read = await home.run(["sigchain", "import", home.file("chain.jsonl", formatChain(chain.path))])
  assert.equal(read.code, 0, read.stderr)
  return chain
}

test("kez sigchain rotate recovers where a thief of the primary has revoked the committed key", async () => {
  await using home = await begun()
  assert.equal((await home.run(["sigchain", "set-next", "safe", "--yes"])).code, 0)
  const stolen = await forge(home, await chainOf(home), [
    { op: "revoke_device", keys: [safe.key] },
    { op: "add", subject: "github:mallory" },
  ])
  const burning = stolen.path[2]
  assert.ok(burning !== undefined)

  const rotated = await home.run(["sigchain", "rotate", "safe", "--yes"])
  assert.equal(rotated.code, 0, rotated.stderr)
  assert.match(rotated.stdout, /rotate .*is event 2 of your chain/)
  assert.match(rotated.stderr, /event 2 revoked the key that you committed to: the rotation follows event 1 instead/)
  await forge(home, stolen, [{ op: "add", subject: "github:mallory2" }])
  const { data } = await json(home, "sigchain", "show")
  assert.deepEqual([data.status, data.contested, data.primary], ["ok", true, safe.key])
  assert.deepEqual(
    data.subjects.map(({ subject }: { subject: string }) => subject),
    ["dns:example.org"],
  )

  // The thief's revocation names the key that adds the next device.
  await home.run(["sigchain", "add-device", "phone"])
  assert.equal((await json(home, "sigchain", "show")).data.devices[0].suspended, true)
  const lifted = await json(home, "sigchain", "settle", "--lift", envelopeDigest(burning))
  assert.equal(lifted.code, 0, lifted.error?.message)
  assert.equal((await json(home, "sigchain", "show")).data.devices[0].suspended, false)
  assert.deepEqual((await json(home, "sigchain", "settle")).data.revocations, [], "a lifted one is not in force")
})

test("kez sigchain rotate goes back for no key that was burned before it was committed to", async () => {
  await using home = await begun()
  await home.run(["sigchain", "add-device", "safe"])
  await home.run(["sigchain", "revoke-device", "safe"])
  await forge(home, await chainOf(home), [{ op: "set_next", next: commitmentTo(safe.key) }])
  const refused = await json(home, "sigchain", "rotate", "safe")
  assert.deepEqual([refused.code, refused.error.code], [1, "chain.key_reuse"])
})

/** Event 3 is the thief's, who has the key of the device phone alone; event 4 the owner's answer. */
async function burnedByDevice(home: Home): Promise<ChainReplay> {
  await home.run(["sigchain", "set-next", "safe", "--yes"])
  await home.run(["sigchain", "add-device", "phone"])
  await forge(home, await chainOf(home), [{ op: "revoke_device", keys: [safe.key] }], phone)
  assert.equal((await home.run(["sigchain", "revoke-device", phone.key])).code, 0)
  return chainOf(home)
}

function devicesOf(chain: ChainReplay): readonly string[] {
  return chain.state.devices.map(({ key }) => key)
}

test("kez sigchain rotate names a device whose revocation it leaves behind: what it signs counts again", async () => {
  await using home = await begun()
  await burnedByDevice(home)
  const rotated = await json(home, "sigchain", "rotate", "safe", "--yes")
  assert.equal(rotated.code, 0, rotated.error?.message)
  assert.deepEqual(rotated.data.suspended, [phone.key])
  assert.deepEqual(rotated.data.left_behind, [
    { seq: 3, op: "revoke_device" },
    { seq: 4, op: "revoke_device" },
  ])
  assert.match(rotated.warnings.join("\n"), new RegExp(`revoke-device ${phone.key} unless it is yours`))

  await forge(home, await chainOf(home), [{ op: "add", subject: "github:mallory" }], phone)
  const { data } = await json(home, "sigchain", "show")
  assert.equal(data.subjects.length, 2)
  const revoked = await json(home, "sigchain", "revoke-device", phone.key)
  assert.equal(revoked.code, 0, revoked.error?.message)
  assert.deepEqual(devicesOf(await chainOf(home)), [])
})

test("kez sigchain rotate --keep-revocations signs what it leaves behind again, but not against the new primary", async () => {
  await using home = await begun()
  await burnedByDevice(home)
  const rotated = await json(home, "sigchain", "rotate", "safe", "--yes", "--keep-revocations")
  assert.equal(rotated.code, 0, rotated.error?.message)
  assert.deepEqual(rotated.data.suspended, [])
  assert.deepEqual(
    rotated.data.events.map(({ op, signer }: { op: string; signer: string }) => [op, signer]),
    [
      ["rotate", safe.key],
      ["revoke_device", safe.key],
    ],
  )
  assert.deepEqual(rotated.data.events[1].payload.keys, [phone.key])

  const chain = await chainOf(home)
  await assert.rejects(appendEvent({ chain, operation: { op: "add", subject: "github:mallory" }, now: 1 }, phone), {
    code: "chain.not_authorised",
  })
})

test("kez sigchain rotate --keep-revocations repeats no revocation of a device that it revokes, and none twice", async () => {
  await using home = await begun()
  await home.make("laptop", { words: spareWords })
  await home.run(["identity", "use", "main"])
  await home.run(["sigchain", "set-next", "safe", "--yes"])
  for (const device of ["phone", "laptop"]) await home.run(["sigchain", "add-device", device])
  const stolen: readonly Operation[] = [
    { op: "revoke_device", keys: [safe.key] },
    { op: "revoke", subject: "dns:example.org" },
    { op: "revoke_device", keys: [spare.key] },
  ]
  await forge(home, await chainOf(home), stolen, phone)
  const mine: readonly Operation[] = [
    { op: "revoke_device", keys: [phone.key] },
    { op: "revoke", subject: "github:old" },
    { op: "revoke", subject: "github:old" },
    { op: "revoke_device", keys: [phone.key] },
  ]
  await forge(home, await chainOf(home), mine)

  const refused = await json(home, "sigchain", "rotate", "safe", "--keep-revocations")
  assert.deepEqual([refused.code, refused.error.code], [2, "input.missing"])
  assert.match(refused.error.hint, /Signed again: event \d+ \(revoke_device, signed by main\), event \d+ \(revoke/)
  const rotated = await json(home, "sigchain", "rotate", "safe", "--yes", "--keep-revocations")
  assert.equal(rotated.code, 0, rotated.error?.message)
  assert.deepEqual(
    rotated.data.events.slice(1).map(({ payload }: { payload: unknown }) => payload),
    [{ keys: [phone.key] }, { subject: "github:old" }],
  )
  assert.match(rotated.warnings.join("\n"), /Not signed again, .*event 4 \(revoke_device, signed by phone\)/)
  const { data } = await json(home, "sigchain", "show")
  assert.deepEqual([data.devices.length, data.devices[0].key, data.devices[0].suspended], [1, spare.key, false])
  assert.equal(data.subjects[0].status, "active")
})

test("kez sigchain rotate leaves no event behind unasked, whatever is quiet", async () => {
  await using home = await begun()
  await burnedByDevice(home)
  const before = await chainOf(home)
  for (const quiet of [[], ["-q"]]) {
    const refused = await json(home, "sigchain", "rotate", "safe", ...quiet)
    assert.deepEqual([refused.code, refused.error.code], [2, "input.missing"])
    assert.match(refused.error.message, /2 events \(2 revoke_device\)/)
    assert.match(refused.error.hint, /--yes/)
  }
  assert.deepEqual((await chainOf(home)).head, before.head)
  const shown = await home.run(["sigchain", "show"])
  assert.match(
    shown.stdout,
    /only the one committed to .*, which event 3 revoked: kez sigchain rotate goes back to before that/,
  )
  const rotated = await home.run(["sigchain", "rotate", "safe", "--yes", "-q"])
  assert.equal(rotated.code, 0, rotated.stderr)
})

test("kez sigchain rotate asks at a terminal what is left behind, and a no signs nothing", { skip }, async () => {
  await using home = await begun()
  const { head } = await burnedByDevice(home)
  for (const [answer, code] of [
    ["n", 3],
    ["y", 0],
  ] as const) {
    assert.deepEqual((await chainOf(home)).head, head)
    using session = openSession(["sigchain", "rotate", "safe"], {
      env: { HOME: home.dir, KEZ_HOME: home.paths.data },
    })
    await session.expect(/Leave the 2 events \(2 revoke_device\) after it behind\? \[y\/N\] /)
    session.enter(answer)
    assert.equal(await session.end(), code)
  }
  assert.equal((await chainOf(home)).state.primary, safe.key)
})

test("kez sigchain rotate follows the last event at which the committed key could: a device that added it had it burned", async () => {
  await using home = await begun()
  await home.run(["sigchain", "set-next", "safe", "--yes"])
  await home.run(["sigchain", "add-device", "phone"])
  await forge(home, await chainOf(home), [{ op: "add_device", device: safe }], phone)
  const asDevice = await json(home, "sigchain", "rotate", "safe")
  assert.deepEqual([asDevice.code, asDevice.error.code], [2, "input.missing"])
  await home.run(["sigchain", "revoke-device", phone.key, "--yes"])

  const rotated = await json(home, "sigchain", "rotate", "safe", "--yes")
  assert.equal(rotated.code, 0, rotated.error?.message)
  assert.match(rotated.warnings[0], /event 3 made a device of the key/)
  assert.deepEqual([rotated.data.head.seq, rotated.data.status, rotated.data.suspended], [3, "ok", [phone.key]])
})

test("kez sigchain rotate does not go back to before the key was rotated in itself", async () => {
  await using home = await begun()
  await home.run(["sigchain", "set-next", "safe", "--yes"])
  await home.run(["sigchain", "rotate", "safe"])
  await forge(home, await chainOf(home), [{ op: "set_next", next: commitmentTo(safe.key) }], safe)
  const refused = await json(home, "sigchain", "rotate", "safe", "--yes")
  assert.deepEqual([refused.code, refused.error.code], [1, "chain.key_in_use"])
})

test("kez sigchain revoke-device of a former primary lifts what it revoked, and what it revokes yet", async () => {
  await using home = await begun()
  await home.run(["sigchain", "add-device", "phone"])
  await home.run(["sigchain", "set-next", "safe", "--yes"])
  const start = await chainOf(home)
  await forge(home, start, [{ op: "revoke_device", keys: [safe.key, phone.key] }])
  const rotated = await json(home, "sigchain", "rotate", "safe", "--yes")
  assert.match(rotated.warnings[0], new RegExp(`kez sigchain revoke-device ${main.key}`))
  assert.deepEqual(rotated.data.suspended, [phone.key])

  const unasked = await json(home, "sigchain", "revoke-device", main.key)
  assert.deepEqual([unasked.code, unasked.error.code], [2, "usage"])
  assert.match(unasked.error.hint, new RegExp(`--keep ${phone.key}`))
  const lifted = await json(home, "sigchain", "revoke-device", main.key, "--keep", phone.key)
  assert.equal(lifted.code, 0, lifted.error?.message)
  assert.deepEqual((await json(home, "sigchain", "show")).data.devices[0].suspended, false)

  await forge(home, start, [
    { op: "revoke", subject: "dns:example.org" },
    { op: "revoke_device", keys: [phone.key] },
  ])
  const { data } = await json(home, "sigchain", "show")
  assert.deepEqual([data.devices[0].suspended, data.subjects[0].status], [false, "active"])
  assert.equal(data.losing.length, 3)
  assert.deepEqual((await json(home, "sigchain", "settle")).data.revocations, [])
})

/** The chain as main left it: its own revocation of the domain, made after the thief's, has lost, and safe is the primary. */
async function ownRevocationLost(home: Home): Promise<void> {
  await burnedByDevice(home)
  assert.equal((await home.run(["sigchain", "revoke", "dns:example.org"])).code, 0)
  assert.equal((await home.run(["sigchain", "rotate", "safe", "--yes"])).code, 0)
}

test("kez sigchain revoke-device lifts no revocation of the owner's own unasked", async () => {
  await using home = await begun()
  await ownRevocationLost(home)
  const before = await chainOf(home)
  for (const more of [["--keep", phone.key], [phone.key]]) {
    const unasked = await json(home, "sigchain", "revoke-device", main.key, ...more)
    assert.deepEqual([unasked.code, unasked.error?.code], [2, "input.missing"])
    assert.match(`${unasked.error.message} ${unasked.error.hint}`, /dns:example\.org.* --yes/s)
    assert.deepEqual((await chainOf(home)).head, before.head, "nothing was signed")
  }
  const lifted = await json(home, "sigchain", "revoke-device", main.key, "--keep", phone.key, "--yes")
  assert.equal(lifted.code, 0, lifted.error?.message)
  assert.deepEqual(lifted.data.lifted, { devices: [phone.key], subjects: ["dns:example.org"] })
  assert.match(lifted.warnings.join("\n"), /dns:example\.org revoked no more/)
})

test("kez sigchain revoke-device asks before it lifts what the device revoked on a losing branch", async () => {
  await using home = await begun()
  await home.run(["sigchain", "add-device", "phone"])
  const start = await chainOf(home)
  assert.equal((await home.run(["sigchain", "add", "dns:example.net"])).code, 0)
  await forge(home, start, [{ op: "revoke", subject: "dns:example.org" }], phone)
  const unasked = await json(home, "sigchain", "revoke-device", "phone")
  assert.deepEqual([unasked.code, unasked.error?.code], [2, "input.missing"])
  const lifted = await json(home, "sigchain", "revoke-device", "phone", "--yes")
  assert.deepEqual(lifted.data?.lifted, { devices: [], subjects: ["dns:example.org"] }, lifted.error?.message)
  const { data } = await json(home, "sigchain", "show")
  assert.equal(data.subjects[0].status, "active")
})

test("kez sigchain revoke-device asks about nothing where the owner has revoked it again", async () => {
  await using home = await begun()
  await ownRevocationLost(home)
  assert.equal((await home.run(["sigchain", "revoke", "dns:example.org"])).code, 0)
  const revoked = await json(home, "sigchain", "revoke-device", main.key, phone.key)
  assert.equal(revoked.code, 0, revoked.error?.message)
  assert.deepEqual(revoked.data.lifted, { devices: [], subjects: [] })
})

test("kez sigchain revoke-device asks before a device that another primary added has its say back", async () => {
  await using home = await begun()
  await home.make("spare", { words: spareWords })
  await home.run(["identity", "use", "main"])
  await home.run(["sigchain", "add-device", "phone"])
  // main added phone; spare is the primary that revokes it; safe goes back to before that.
  const second = await json(home, "sigchain", "rotate", "spare", "--next", "safe")
  assert.equal(second.code, 0, second.error?.message)
  await forge(home, await chainOf(home), [{ op: "revoke_device", keys: [safe.key] }], phone)
  assert.equal((await home.run(["sigchain", "revoke-device", phone.key])).code, 0)
  assert.deepEqual((await json(home, "sigchain", "rotate", "safe", "--yes")).data.suspended, [phone.key])

  const unasked = await json(home, "sigchain", "revoke-device", spare.key)
  assert.deepEqual([unasked.code, unasked.error?.code], [2, "input.missing"])
  assert.match(unasked.error.message, new RegExp(phone.key))
  const kept = await json(home, "sigchain", "revoke-device", spare.key, "--keep", phone.key)
  assert.deepEqual([kept.code, kept.data?.lifted.devices], [0, [phone.key]], kept.error?.message)
})

test("kez sigchain revoke-device asks at a terminal what it lifts, and a no signs nothing", { skip }, async () => {
  await using home = await begun()
  await ownRevocationLost(home)
  const { head } = await chainOf(home)
  for (const [answer, code] of [
    ["n", 3],
    ["y", 0],
  ] as const) {
    assert.deepEqual((await chainOf(home)).head, head)
    using session = openSession(["sigchain", "revoke-device", main.key, phone.key], {
      env: { HOME: home.dir, KEZ_HOME: home.paths.data },
    })
    await session.expect(/dns:example\.org[^?]*Lift them\? \[y\/N\] /)
    session.enter(answer)
    assert.equal(await session.end(), code)
  }
})

test("kez sigchain revoke-device of a former primary keeps the devices that it added", async () => {
  await using home = await begun()
  await home.run(["sigchain", "add-device", "phone"])
  await home.run(["sigchain", "rotate", "safe"])
  const revoked = await json(home, "sigchain", "revoke-device", main.key)
  assert.equal(revoked.code, 0, revoked.error?.message)
  assert.deepEqual(revoked.data.events[0].payload, { keys: [main.key], keep: [phone.key] })
  assert.deepEqual(devicesOf(await chainOf(home)), [phone.key])
  // A device lifts nothing.
  const byDevice = await json(home, "--identity", "phone", "sigchain", "revoke-device", main.key)
  assert.deepEqual([byDevice.code, byDevice.error.code], [2, "usage"])
})
