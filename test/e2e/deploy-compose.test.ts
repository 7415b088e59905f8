/** deploy/compose.yaml: what Docker Compose's own loader says to it, and what each container may do. */
import assert from "node:assert/strict"
import { execFile } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, relative } from "node:path"
import { type TestContext, test } from "node:test"
import { promisify } from "node:util"
import { deployFolder, loadCompose, type Service, composePeerMissing as skip } from "../support/compose.ts"

const example = join(deployFolder, ".env.example")
const ours = ["sig-server", "broker-config", "nats-server", "chat-server"]
/** Only where somebody wants it. */
const withRelay = [...ours, "relay"]
const root = join(import.meta.dirname, "../..")

function envFile(t: TestContext, text: string): string {
  const folder = mkdtempSync(join(tmpdir(), "kez-deploy-"))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(join(folder, "env"), text)
  return join(folder, "env")
}

function serviceOf(services: Readonly<Record<string, Service>>, name: string): Service {
  const service = services[name]
  if (service === undefined) throw new Error(`there is no service ${name}`)
  return service
}

test("compose.yaml is what Docker Compose takes, with the example's five lines", { skip }, async () => {
  const { services } = await loadCompose({ envFile: example })
  assert.deepEqual(Object.keys(services).sort(), [...ours].sort())
  const lines = readFileSync(example, "utf8")
    .split("\n")
    .filter((line) => /^[A-Z_]+=/.test(line))
  assert.equal(lines.length, 5)
  const { services: more } = await loadCompose({ envFile: example, profiles: ["relay"] })
  assert.deepEqual(Object.keys(more).sort(), [...withRelay].sort())
})

test("the loader refuses a word that the schema does not have, so it can say no", { skip }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "kez-deploy-"))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const broken = join(folder, "broken.yaml")
  writeFileSync(broken, "services:\n  one:\n    image: one\n    read_onyl: true\n")
  await assert.rejects(loadCompose({ envFile: example, files: [relative(deployFolder, broken)] }), /read_onyl/)
})

test("compose.yaml names what is missing in .env", { skip }, async (t) => {
  await assert.rejects(
    loadCompose({ envFile: envFile(t, "KEZ_STORE_DOMAIN=sigs.example.org\n") }),
    /set KEZ_DOMAIN in \.env/,
  )
  await assert.rejects(
    loadCompose({ envFile: envFile(t, "KEZ_DOMAIN=chat.example.org\n") }),
    /set KEZ_STORE_DOMAIN in \.env/,
  )
})

test("containers of ours are unprivileged, on a read-only root, and see nothing but their volumes", {
  skip,
}, async () => {
  const { services, volumes } = await loadCompose({ envFile: example, profiles: ["relay"] })
  for (const name of withRelay) {
    const service = serviceOf(services, name)
    assert.equal(service.user, "10001:10001", name)
    assert.equal(service.read_only, true, name)
    assert.deepEqual(service.cap_drop, ["ALL"], name)
    assert.equal(service.cap_add, undefined, name)
    assert.deepEqual(service.security_opt, ["no-new-privileges:true"], name)
    assert.notEqual(service.privileged, true, name)
    assert.match(service.stop_grace_period ?? "", /^[0-9]+s$/, name)
    assert.match(service.image, /^[a-z-]+:\d+\.\d+\.\d+(?:-[a-z]+)?$/, `${name} is pinned`)
    for (const { type, source } of service.volumes ?? []) {
      assert.equal(type, "volume", name)
      assert.ok(Object.hasOwn(volumes, source))
    }
    if (name !== "broker-config") {
      assert.equal(service.restart, "unless-stopped", name)
      assert.ok(service.healthcheck, name)
    }
  }
  assert.equal(serviceOf(services, "nats-server").image, "nats:2.15.1-alpine")
})

test("the seeds of the broker's keys are in no volume that nats-server sees", { skip }, async () => {
  const { services } = await loadCompose({ envFile: example })
  const sources = (name: string) => serviceOf(services, name).volumes?.map(({ source }) => source)
  assert.deepEqual(sources("nats-server"), ["broker-data"])
  assert.deepEqual(sources("chat-server"), ["chat-data"])
  assert.match(
    serviceOf(services, "broker-config").command?.join(" ") ?? "",
    /--out \/data\/broker .*cp \S+\.conf \/broker\//,
  )
})

test("ports are published on loopback alone, and the monitoring port nowhere", { skip }, async () => {
  const { services } = await loadCompose({ envFile: example, profiles: ["proxy", "relay"] })
  for (const [name, { ports = [] }] of Object.entries(services)) {
    for (const { host_ip: host, target, published } of ports) {
      assert.notEqual(target, 8222)
      if (name === "proxy") assert.ok(["80", "443"].includes(published))
      else assert.equal(host, "127.0.0.1", `${name} ${target}`)
    }
  }
})

test("each server waits for what it needs to be healthy", { skip }, async () => {
  const { services } = await loadCompose({ envFile: example, profiles: ["proxy"] })
  const needs = (name: string) =>
    Object.fromEntries(
      Object.entries(serviceOf(services, name).depends_on ?? {}).map(([other, { condition }]) => [other, condition]),
    )
  assert.deepEqual(needs("nats-server"), { "broker-config": "service_completed_successfully" })
  assert.deepEqual(needs("chat-server"), { "sig-server": "service_healthy", "nats-server": "service_healthy" })
  assert.deepEqual(needs("proxy"), { "chat-server": "service_healthy" })
})

test("every variable of a server is a setting that it has", { skip }, async (t) => {
  const lines = readFileSync(example, "utf8").replace(/^KEZ_RELAY_DOMAIN=$/m, "KEZ_RELAY_DOMAIN=relay.example.org")
  const { services } = await loadCompose({ envFile: envFile(t, lines) })
  assert.equal(serviceOf(services, "chat-server").environment?.["KEZ_CHAT_FILE_RELAYS"], "https://relay.example.org")
  for (const name of ["sig-server", "chat-server"]) {
    const { environment = {} } = serviceOf(services, name)
    const main = join(root, "apps", name, "src/main.ts")
    const run = (args: readonly string[]) =>
      promisify(execFile)(process.execPath, [main, ...args], { env: environment })
    await run(["--check-config"])
    const { stdout } = await run(["--print-config"])
    for (const variable of Object.keys(environment).filter((one) => environment[one] !== "")) {
      const setting = variable.replace(/^KEZ_(?:SIG|CHAT)_/, "").toLowerCase()
      assert.match(stdout, new RegExp(`^${setting} = .*# environment$`, "m"), stdout)
    }
  }
})

test("compose.postgres.yaml gives both servers a database by a secret file", { skip }, async () => {
  const { services } = await loadCompose({ envFile: example, files: ["compose.yaml", "compose.postgres.yaml"] })
  const { user, read_only: isReadOnly } = serviceOf(services, "postgres")
  assert.deepEqual([user, isReadOnly], ["70:70", true])
  for (const [name, variable] of [
    ["sig-server", "KEZ_SIG_DATABASE_URL_FILE"],
    ["chat-server", "KEZ_CHAT_DATABASE_URL_FILE"],
  ] as const) {
    const { environment, depends_on: needs } = serviceOf(services, name)
    assert.equal(environment?.[variable], "/run/secrets/database-url")
    assert.equal(needs?.["postgres"]?.condition, "service_healthy")
  }
})

test("clients are told of no relay, and the proxy has no name for one, where none is wanted", { skip }, async () => {
  const { services } = await loadCompose({ envFile: example, profiles: ["proxy"] })
  assert.equal(serviceOf(services, "chat-server").environment?.["KEZ_CHAT_FILE_RELAYS"], "")
  assert.equal(serviceOf(services, "proxy").environment?.["KEZ_RELAY_DOMAIN"], "http://relay.localhost")
})

test("the relay has no volume and no secret, unless it tells addresses over QUIC, with a certificate", {
  skip,
}, async () => {
  const plain = await loadCompose({ envFile: example, profiles: ["relay"] })
  const { volumes = [], build } = serviceOf(plain.services, "relay")
  assert.deepEqual([volumes, build?.target], [[], "relay"])
  const files = ["compose.yaml", "compose.relay-quic.yaml"]
  const { services } = await loadCompose({ envFile: example, profiles: ["relay"], files })
  const { environment, ports = [] } = serviceOf(services, "relay")
  assert.equal(environment?.["KEZ_RELAY_CERTIFICATE"], "/run/secrets/relay-certificate")
  assert.deepEqual(ports.map(({ target, host_ip: host }) => [target, host]).sort(), [
    [3340, "127.0.0.1"],
    [7842, undefined],
  ])
})
