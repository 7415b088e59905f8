/** An account on a chat server: registered, bound both ways or not, given up, unreachable; with the real command. SPEC §7.7 */
import assert from "node:assert/strict"
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, beforeEach, suite, test } from "node:test"
import {
  appendEvent,
  type ChainReplay,
  createSigner,
  formatChain,
  type Operation,
  type Signer,
  signEnvelope,
} from "../../packages/core/src/index.ts"
import { runKez } from "../support/cli.ts"
import { type HandlesServer, startHandlesServer } from "../support/kez-handles-server.ts"

const alice = createSigner("ed25519", new Uint8Array(32).fill(0x42))
const mallory = createSigner("ed25519", new Uint8Array(32).fill(0x4d))
const subject = "kez:alice@localhost"
const chainUrl = "https://localhost/alice.jsonl"
const add = { op: "add", subject } as const
const revoke = { op: "revoke", subject } as const

suite("an account on a chat server", () => {
  let server: HandlesServer
  let dir: string
  let home: string
  let count = 0

  before(async () => {
    dir = mkdtempSync(join(tmpdir(), "kez-handles-"))
    server = await startHandlesServer()
  })
  after(async () => {
    await server?.close()
    rmSync(dir, { recursive: true, force: true })
  })
  beforeEach(() => {
    home = join(dir, String(count++))
    mkdirSync(home)
    writeFileSync(join(home, "config.toml"), `[hosts]\nlocalhost = "${server.origin}"\n`)
    server.setPath("/livez", { text: "ok" })
  })

  async function verify(...more: readonly string[]) {
    const { code, stdout, stderr } = await runKez(["verify", "id", subject, "--json", ...more], {
      env: { KEZ_HOME: home },
    })
    const { data, error } = JSON.parse(stdout || stderr) as {
      data?: { status: string; reason: string | null; primary: string | null }
      error?: { code: string }
    }
    return [code, data?.status ?? "", data?.reason ?? error?.code ?? null]
  }

  /** The server shows that `chain` has the handle, signed by its owner. */
  async function show(chain: ChainReplay, by: Signer = alice): Promise<void> {
    const registration = await signEnvelope(
      "handle_registration",
      {
        type: "kez.chat.handle_registration",
        version: 1,
        handle: "alice",
        host: "localhost",
        primary: by.key,
        chain: chain.chain,
        created_at: "2026-01-01T00:00:00Z",
      },
      by,
    )
    server.setHandle("alice", { json: { handle: "alice", host: "localhost", registration, chain_url: chainUrl } })
    server.setPath("/alice.jsonl", { text: formatChain(chain.path) })
  }

  test("is valid where the server and the chain name each other", async () => {
    const chain = await chainOf(alice, add)
    await show(chain)
    assert.deepEqual(await verify("--primary", alice.key), [0, "valid", null])
    assert.deepEqual(await verify("--primary", mallory.key), [10, "invalid", "proof.primary_mismatch"])
  })

  test("P6 H10 is invalid where the chain does not name the handle", async () => {
    await show(await chainOf(alice, { op: "add", subject: "kez:alicia@localhost" }))
    assert.deepEqual(await verify(), [10, "invalid", "claim.not_in_chain"])
  })

  test("P10 is revoked where the chain says so, though the server still shows it", async () => {
    await show(await chainOf(alice, add, revoke))
    assert.deepEqual(await verify(), [11, "revoked", "claim.revoked"])
  })

  test("P6 is taken over where the handle came to another chain", async () => {
    await show(await chainOf(alice, add))
    assert.deepEqual(await verify(), [0, "valid", null])
    await show(await chainOf(mallory, add), mallory)
    const [code, status, reason] = await verify()
    assert.deepEqual([code, status, reason], [10, "invalid", "account.changed"])
  })

  test("is absent where the server does not know it or it was given up, unless the server is not well", async () => {
    for (const status of [404, 410]) {
      server.setHandle("alice", { status })
      assert.deepEqual(await verify(), [14, "invalid", "proof.not_found"])
    }
    server.setPath("/livez", { status: 503 })
    assert.deepEqual(await verify(), [5, "unreachable", "channel.down"])
  })

  test("is asked for anew by each command, and sent again only where it changed", async () => {
    await show(await chainOf(alice, add))
    assert.deepEqual(await verify(), [0, "valid", null])
    const before = server.requests.length
    assert.deepEqual(await verify(), [0, "valid", null])
    assert.deepEqual(server.requests.slice(before).sort(), ["/alice.jsonl 304", "/v1/handles/alice 304"])
    await show(await chainOf(alice, add, revoke))
    assert.deepEqual(await verify(), [11, "revoked", "claim.revoked"])
  })

  test("is left alone by the next commands once the server asked to wait, and the time is told", async () => {
    server.setHandle("alice", { status: 429, retryAfterSeconds: 600 })
    assert.deepEqual(await verify(), [5, "unreachable", "net.rate_limit"])
    const before = server.requests.length
    assert.deepEqual(await verify(), [5, "unreachable", "net.rate_limit"])
    assert.equal(server.requests.length, before)
    assert.ok(existsSync(join(home, "cache", "answers.db")))
  })

  test("a cache that is damaged is thrown away, and nobody hears of it", async () => {
    await show(await chainOf(alice, add))
    mkdirSync(join(home, "cache"))
    writeFileSync(join(home, "cache", "answers.db"), "no database at all, and long enough to be looked at".repeat(40))
    const { code, stderr } = await runKez(["verify", "id", subject], { env: { KEZ_HOME: home } })
    assert.deepEqual([code, stderr], [0, ""])
  })

  test("is unreachable where localhost is not configured: no text may send anybody there", async () => {
    writeFileSync(join(home, "config.toml"), "")
    const asked = server.requests.length
    assert.deepEqual(await verify(), [5, "unreachable", "net.host"])
    assert.equal(server.requests.length, asked)
  })
})

async function chainOf(signer: Signer, ...operations: readonly Operation[]): Promise<ChainReplay> {
  let chain: ChainReplay | undefined
  for (const operation of operations) {
    chain = (await appendEvent({ chain, operation, now: 1_767_225_600 }, signer)).replay
  }
  assert.ok(chain)
  return chain
}
