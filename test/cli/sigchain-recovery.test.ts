/** An owner gets the chain back from a thief of the primary who has burned the committed key. SPEC CHAIN-12, CHAIN-14, FORK-1 */
import assert from "node:assert/strict"
import { test } from "node:test"
import { appendEvent, commitmentTo, envelopeDigest, type Operation } from "@kez/core"
import { skipWithout } from "../support/servers.ts"
import { openSession } from "./support/pty.ts"
import {
  begun,
  burnedByDevice,
  chainOf,
  devicesOf,
  forge,
  json,
  phone,
  safe,
  spare,
  spareWords,
} from "./support/recovery.ts"

const skip = process.platform === "linux" ? skipWithout("script") : "needs script(1) of util-linux"

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
