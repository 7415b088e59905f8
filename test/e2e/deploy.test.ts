/**
 * The layout of deploy/compose.yaml without containers: the image's tree, its users, commands and variables as plain processes. Two people get
 * their handles by invitation and write to each other through it.
 */
import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { after, before, describe, type TestContext, test } from "node:test"
import { skipWithoutNats } from "../support/broker.ts"
import { composePeerMissing, deployFolder, loadCompose } from "../support/compose.ts"
import { buildImage, changesUser, createDeployed, type Deployed, findRelay, type Image } from "../support/deployed.ts"
import { buildIroh } from "../support/files-people.ts"
import { startIroh } from "../support/iroh.ts"
import { makePerson, type Person } from "../support/person.ts"
import { freePorts } from "../support/ports.ts"

const skip = process.platform === "linux" ? composePeerMissing || skipWithoutNats : "setpriv is of Linux"
const order = ["broker-config", "sig-server", "nats-server", "chat-server"]
/** Without cargo there is none. */
const relay = findRelay()
const domain = "chat.example.org"
const arriveMs = 30_000
const MAIN = join(import.meta.dirname, "../../apps/cli/src/main.ts")

describe("compose.yaml as processes", { skip }, () => {
  let image: Image
  let deployed: Deployed
  const cleaning: (() => void | Promise<void>)[] = []
  const cleaner = { after: (clean: () => void | Promise<void>) => void cleaning.push(clean) }

  before(async () => {
    const project = await loadCompose({ envFile: join(deployFolder, ".env.example"), profiles: ["relay"] })
    image = await buildImage(cleaner)
    deployed = createDeployed(cleaner, { image, project, ports: await freePorts(6) })
    for (const name of order) {
      await deployed.start(name)
      if (name !== "broker-config") await deployed.healthy(name)
    }
  })
  after(async () => {
    for (const clean of cleaning.toReversed()) await clean()
  })

  async function ask(path: string): Promise<ReturnType<typeof JSON.parse>> {
    return (await fetch(`http://127.0.0.1:${deployed.ports.chat}${path}`)).json()
  }

  test("the image holds what runs, and nothing else of the repository", () => {
    for (const path of ["apps/cli/src", "packages/core/test", "node_modules/typescript", "node_modules/@biomejs"]) {
      assert.equal(existsSync(join(image.root, path)), false, path)
    }
    for (const path of ["node_modules/fastify", "packages/core/src/index.ts"]) {
      assert.equal(statSync(join(image.root, path)).mode & 0o222, 0, path)
    }
  })

  test("all are healthy, each with its own volume, and the seeds are the chat server's alone", async () => {
    const { checks } = await ask("/readyz")
    assert.deepEqual(checks.broker, { ok: true })
    assert.ok(readdirSync(deployed.volume("broker-data")).includes("streams"))
    const all = readdirSync(deployed.volume("broker-data"), { recursive: true }).map(String)
    assert.equal(
      all.some((path) => path.endsWith(".seed")),
      false,
    )
    assert.ok(existsSync(join(deployed.volume("chat-data"), "broker/keys/issuer.seed")))
    assert.ok(existsSync(join(deployed.volume("sig-data"), "kez-sig.sqlite")))
  })

  test("each runs as its user, without capabilities and without a way to new ones", { skip: !changesUser }, () => {
    for (const name of order.slice(1)) {
      const status = readFileSync(`/proc/${deployed.pid(name)}/status`, "utf8")
      assert.match(status, /^Uid:\t10001\t10001\t10001\t10001$/m, name)
      assert.match(status, /^NoNewPrivs:\t1$/m, name)
      for (const set of ["CapInh", "CapPrm", "CapEff", "CapBnd"]) assert.match(status, new RegExp(`^${set}:\t0+$`, "m"))
    }
  })

  test("clients are told the public names", async () => {
    const { host, broker, stores } = await ask("/v1/server")
    assert.deepEqual([host, broker, stores], [domain, [`wss://${domain}`], ["https://sigs.example.org"]])
  })

  test("two people get handles by invitation, and a message arrives", async (t) => {
    // One of them as through the proxy.
    const { broker, websocket } = deployed.ports
    const [alice, bob] = await Promise.all([
      enter(t, "alice", `nats://127.0.0.1:${broker}`),
      enter(t, "bob", `ws://127.0.0.1:${websocket}`),
    ])
    const text = "through the containers"
    const seen = follow(t, bob, `alice@${domain}`, text)
    const sent = await alice.kez(["dm", `bob@${domain}`, text])
    assert.equal(sent.code, 0, sent.stderr)
    await seen
    for (const name of order) assert.doesNotMatch(deployed.log(name), new RegExp(text))
  })

  test("the relay is healthy, unprivileged, has a place for endpoints, and ends in order", {
    skip: relay === undefined && process.env["CI"] !== "true" ? "kez-relay was not built" : false,
  }, async (t) => {
    await deployed.start("relay")
    await deployed.healthy("relay")
    if (changesUser) {
      const status = readFileSync(`/proc/${deployed.pid("relay")}/status`, "utf8")
      assert.match(status, /^Uid:\t10001\t10001\t10001\t10001$/m)
      assert.match(status, /^CapBnd:\t0+$/m)
    }
    const endpoint = startIroh([(await buildIroh()).KEZ_IROH])
    t.after(() => endpoint.close())
    const url = `http://127.0.0.1:${deployed.ports.relay}/`
    const place = { data: join(image.base, "endpoint"), relay: [url], direct: false }
    await endpoint.ask({ do: "start", ...place })
    const found = await endpoint.until(({ event, relay }) => event === "addresses" && relay !== null)
    assert.deepEqual([found["relay"], found["addresses"]], [url, []])
    assert.match(
      deployed.log("relay"),
      /^kez-relay \d+\.\d+\.\d+ listens at http:\/\/127\.0\.0\.1:\d+\n$/,
      "and nothing of who came",
    )
    await endpoint.close()
    assert.equal(await deployed.stop("relay"), 0)
    assert.notEqual((await deployed.exec("relay", ["kez-relay", "healthcheck"])).code, 0)
  })

  test("the backup of the guide is written where the guide says", async () => {
    const { code } = await deployed.exec("sig-server", ["kez-sig-server", "backup", "--to", "/data/backup.kez"])
    assert.equal(code, 0)
    assert.ok(existsSync(join(deployed.volume("sig-data"), "backup.kez")))
  })

  test("a health check fails when its server is gone, and each stops in order", async () => {
    for (const name of order.toReversed().slice(0, 3)) assert.equal(await deployed.stop(name), 0, name)
    const { code } = await deployed.exec("chat-server", ["kez-chat-server", "healthcheck"])
    assert.notEqual(code, 0)
  })

  async function enter(t: TestContext, name: string, brokerUrl: string): Promise<Person> {
    const { store, chat } = deployed.ports
    const person = await makePerson(t, {
      stores: [`http://127.0.0.1:${store}`],
      hosts: { [domain]: `http://127.0.0.1:${chat}` },
    })
    const { stdout } = await deployed.exec("chat-server", ["kez-chat-server", "invite"])
    const invitation = person.file("invitation", stdout)
    writeFileSync(join(person.home, "config.toml"), `[brokers]\n"${domain}" = "${brokerUrl}"\n`, {
      flag: "a",
    })
    const made = await person.json([
      "account",
      "create",
      `${name}@${domain}`,
      "--no-passphrase",
      "--invitation-file",
      invitation,
    ])
    assert.equal(made.code, 0, JSON.stringify(made))
    return person
  }
})

/** Resolves when a message with this text has come. */
async function follow(t: TestContext, { home, dir }: Person, from: string, text: string): Promise<void> {
  const env = { PATH: process.env["PATH"], HOME: dir, KEZ_HOME: home }
  const child = spawn(process.execPath, [MAIN, "dm", from, "--tail", "--follow", "--json"], { env })
  t.after(() => child.kill("SIGKILL"))
  const timer = setTimeout(() => child.kill("SIGKILL"), arriveMs)
  let said = ""
  for await (const bytes of child.stdout) {
    said += bytes
    if (said.includes(`"text":${JSON.stringify(text)}`)) break
  }
  clearTimeout(timer)
  assert.ok(said.includes(text), said)
}
