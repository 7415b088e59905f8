/** `kez claim publish dns:…`: the lines, the wait, and what each server shows, with a real server and a real resolver. SPEC §7.1 */
import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"
import { after, before, suite, type TestContext, test } from "node:test"
import { setTimeout as sleep } from "node:timers/promises"
import { type Knot, startKnot } from "../../apps/cli/test/support/knot.ts"
import { startUnbound, type Unbound } from "../../apps/cli/test/support/unbound.ts"
import { makePerson, type Person } from "../support/person.ts"
import { skipWithout } from "../support/servers.ts"

const zone = "kez-publish.dev"
/** How long the resolver repeats that there is nothing. */
const negativeTtlSeconds = 8
const main = join(import.meta.dirname, "../../apps/cli/src/main.ts")

suite("publishing in a zone", { skip: skipWithout("knotd") || skipWithout("unbound") }, () => {
  let knot: Knot
  let unbound: Unbound
  const lines = new Map<string, string>()

  before(async () => {
    knot = await startKnot(zone, { negativeTtlSeconds })
    unbound = await startUnbound(zone, knot.address)
  })
  after(async () => {
    await unbound?.close()
    await knot?.close()
  })

  function setUp(t: TestContext, holds: "ed25519" | undefined = "ed25519"): Promise<Person> {
    const resolver = unbound.address
    return makePerson(t, { resolver, publicResolvers: [resolver], ...(holds === undefined ? {} : { holds }) })
  }

  async function put(domain: string, text: string | undefined): Promise<void> {
    if (text === undefined) lines.delete(domain)
    else lines.set(domain, text)
    await knot.publish([...lines.values()])
  }

  const args = (domain: string, ...more: readonly string[]) => [
    ...["claim", "publish", `dns:${domain}`, "--name-server", knot.address],
    ...more,
  ]

  test("it prints the line, waits for the zone's server and the resolver, verifies, and lists the domain", async (t) => {
    const owner = await setUp(t)
    const reader = await setUp(t, undefined)
    const domain = `one.${zone}`
    // Asked too early: the resolver of this computer keeps repeating that there is nothing.
    assert.equal((await reader.json(["verify", "id", `dns:${domain}`])).code, 14)
    const waiting = owner.kez(args(domain, "--wait", "30"), { timeoutMs: 50_000 })
    await sleep(2_000)
    await put(domain, (await owner.kez(["claim", "dns", domain])).stdout)
    const { code, stdout, stderr } = await waiting
    assert.equal(code, 0, stderr)
    assert.equal(`${stdout.split("\n", 1)[0]}\n`, lines.get(domain))
    assert.match(stdout, /\n✓ dns:one\.kez-publish\.dev {2}proven {2}by ed25519:/)
    assert.match(stdout, /\n✓ dns:one\.kez-publish\.dev is listed as event 0 of your chain\n$/)
    assert.match(stderr, /^kez: this line belongs into the zone; looking until it is seen, for 30 s at most\. Ctrl-C/m)
    for (const server of [knot.address, unbound.address]) {
      assert.ok(stderr.includes(`kez: ${server} does not show it yet`), stderr)
      assert.ok(stderr.includes(`kez: ${server} shows it`), stderr)
    }
    assert.match(stderr, /^kez: looking again in \d+ s$/m)
    const seen = await reader.json(["verify", "id", `dns:${domain}`])
    assert.deepEqual([seen.code, seen.data.status, seen.data.primary], [0, "valid", owner.key])

    const again = await owner.json(args(domain))
    assert.deepEqual([again.code, again.data.form, again.data.events], [0, "dns", []])
    assert.deepEqual(
      again.data.servers.map(({ server, role, state }: Record<string, unknown>) => [server, role, state]),
      [
        [knot.address, "authoritative", "shown"],
        [unbound.address, "public", "shown"],
      ],
    )
    const taken = await owner.json(["claim", "unpublish", `dns:${domain}`])
    assert.deepEqual([taken.code, taken.error.code], [2, "channel.unsupported"])
    assert.match(taken.error.hint ?? "", /Remove the TXT record _kez\.one\.kez-publish\.dev/)
  })

  test("a resolver that caches the old answer does not spoil it: listed, with a warning that says for how long", async (t) => {
    const owner = await setUp(t)
    const reader = await setUp(t, undefined)
    const domain = `two.${zone}`
    const early = await owner.json(args(domain, "--wait", "0"))
    assert.deepEqual([early.code, early.error.code], [5, "publish.unconfirmed"])
    assert.match(early.error.hint ?? "", /kez claim dns two\.kez-publish\.dev prints the line/)
    assert.equal((await owner.json(["sigchain", "show"])).error.code, "chain.unknown")
    await put(domain, (await owner.kez(["claim", "dns", domain])).stdout)
    const { code, data, warnings } = await owner.json(args(domain, "--wait", "0"))
    assert.deepEqual([code, data.verdict.status, data.events.length], [0, "valid", 1])
    assert.equal(data.servers[1].state, "missing")
    assert.ok(data.servers[1].wait_seconds <= negativeTtlSeconds)
    assert.ok(warnings.some((text) => text.startsWith(`set, but ${unbound.address} caches the old answer`)))
    // Who names a resolver wants to know what that one says.
    const asked = await owner.json(args(domain, "--wait", "0", "--resolver", unbound.address))
    assert.deepEqual([asked.code, asked.error?.code], [5, "publish.unconfirmed"])
    assert.equal((await reader.json(["verify", "id", `dns:${domain}`])).code, 14)
  })

  test("a line with a hint is two records, and both are waited for", async (t) => {
    const owner = await setUp(t)
    const domain = `three.${zone}`
    const hint = ["--chain-hint", `https://${domain}/chain`]
    const printed = (await owner.kez(["claim", "dns", domain, ...hint])).stdout
    const [first = "", second = ""] = printed.split("\n")
    await put(domain, `${first}\n`)
    assert.equal((await owner.json(args(domain, "--wait", "0", ...hint))).error.code, "publish.unconfirmed")
    await put(domain, `${first}\n${second}\n`)
    const { data } = await owner.json(args(domain, "--wait", "0", ...hint))
    assert.equal(data.servers[0].state, "shown")
  })

  test("Ctrl-C leaves the wait at once, and what was printed still counts", async (t) => {
    const owner = await setUp(t)
    const domain = `four.${zone}`
    const env = { ...process.env, KEZ_HOME: owner.home, NO_COLOR: "1" }
    const child = spawn(process.execPath, [main, ...args(domain)], { env, stdio: ["ignore", "pipe", "pipe"] })
    t.after(() => void child.kill("SIGKILL"))
    let printed = ""
    child.stdout.on("data", (bytes: Buffer) => {
      printed += bytes
    })
    let told = ""
    while (!told.includes("looking again in")) told += (await once(child.stderr, "data"))[0]
    child.kill("SIGINT")
    const [code, signal] = await once(child, "exit")
    assert.ok(signal === "SIGINT" || code === 130, `${code} ${signal}`)
    await put(domain, printed)
    assert.equal((await owner.json(args(domain, "--wait", "0"))).code, 0)
  })

  test("what cannot be is refused before anything is signed", async (t) => {
    const owner = await setUp(t)
    const domain = `five.${zone}`
    for (const more of [
      ["--name-server", "ns.example"],
      ["--place", "zone"],
      ["--credential-file", "x"],
      ["--chain-hint", "ftp://x"],
      ["--wait", "-1"],
    ]) {
      const { code, error } = await owner.json(["claim", "publish", `dns:${domain}`, ...more])
      assert.deepEqual([code, error.code], [2, "usage"], more.join(" "))
    }
    assert.deepEqual((await owner.json(["claim", "list"])).data.claims, [])
  })
})
