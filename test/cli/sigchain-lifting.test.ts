/** What lifts revocations of branches that lost, and what keeps them. SPEC FORK-3, FORK-6 */
import assert from "node:assert/strict"
import { test } from "node:test"
import type { ChainReplay } from "@kez/core"
import { skipWithout } from "../support/servers.ts"
import { type Home, makeHome } from "./support/home.ts"
import { openSession } from "./support/pty.ts"
import {
  begun,
  burnedByDevice,
  chainOf,
  devicesOf,
  forge,
  json,
  main,
  phone,
  safe,
  spare,
  spareWords,
} from "./support/recovery.ts"

const skip = process.platform === "linux" ? skipWithout("script") : "needs script(1) of util-linux"

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

test("kez sigchain settle --keep rejects the tied branches alone, and signs again what that lifts", async () => {
  await using home = await begun()
  await home.run(["sigchain", "add-device", "phone"])
  const start = await chainOf(home)
  const other = await forge(home, start, [
    { op: "revoke", subject: "dns:example.org" },
    { op: "revoke", subject: "github:deep" },
  ])
  const third = await forge(home, start, [{ op: "revoke", subject: "github:low" }], phone)
  const kept = await forge(home, start, [{ op: "add", subject: "github:mine" }])
  const digest = (chain: ChainReplay): string => chain.digests[start.path.length] ?? ""
  assert.equal((await json(home, "sigchain", "show")).data.status, "fork")

  const settled = await json(home, "sigchain", "settle", "--keep", digest(kept), "--keep-revocations")
  assert.equal(settled.code, 0, settled.error?.message)
  assert.deepEqual(
    settled.data.events.map(({ payload }: { payload: unknown }) => payload),
    [{ reject: [digest(other)] }, { subject: "dns:example.org" }],
  )
  const { data } = await json(home, "sigchain", "settle")
  assert.deepEqual(
    data.revocations.map((event: { digest: string }) => event.digest).sort(),
    [other.head.digest, digest(third)].sort(),
    "what it does not name stays in force",
  )
})

test("kez sigchain settle needs the passphrase while the key is unlocked, and a digest of those that are listed", async () => {
  await using home = makeHome()
  await using elsewhere = makeHome()
  await home.make("zero", { passphrase: "right" })
  await elsewhere.make("zero")
  const passphrase = { env: { KEZ_PASSPHRASE: "right" } }
  const ok = async (of: Home, args: readonly string[], options = {}): Promise<string> => {
    const { code, stdout, stderr } = await of.run(args, options)
    assert.equal(code, 0, stderr)
    return stdout
  }
  await ok(home, ["identity", "unlock"], passphrase)
  await ok(home, ["sigchain", "add", "dns:a.example"])
  await ok(elsewhere, ["sigchain", "import", "-"], { input: await ok(home, ["sigchain", "export"]) })
  await ok(home, ["sigchain", "add", "dns:c.example"])
  await ok(elsewhere, ["sigchain", "revoke", "dns:a.example"])
  await ok(home, ["sigchain", "import", "-"], { input: await ok(elsewhere, ["sigchain", "export"]) })
  const [{ successors }] = (await json(home, "sigchain", "settle")).data.splits
  const kept = successors.find(({ events }: { events: readonly { op: string }[] }) => events[0]?.op === "add").digest
  const codeOf = async (...args: readonly string[]) => {
    const { code, error } = await json(home, "sigchain", "settle", ...args)
    return [code, error?.code]
  }
  assert.deepEqual(await codeOf("--keep", kept), [4, "key.locked"])
  assert.deepEqual(await codeOf("--lift", `sha256:${"0".repeat(64)}`), [2, "usage"])
  await ok(home, ["sigchain", "settle", "--keep", kept], passphrase)
})
