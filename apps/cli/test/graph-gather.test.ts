/** From what was typed to the graph: which chain is found, what is looked at, and what is never asked. */
import assert from "node:assert/strict"
import { test } from "node:test"
import type { Net } from "@kez/channels"
import { type ChainReplay, encodeProof, formatChain, KezError, type Signer, signClaim } from "@kez/core"
import { chainOfDocument } from "../src/chain-sources.ts"
import type { Context } from "../src/context.ts"
import { type Gathered, gatherGraph } from "../src/graph/gather-graph.ts"
import { withStore } from "../src/store/access.ts"
import { storeBranch } from "../src/store/chains.ts"
import { inTransaction } from "../src/store/database.ts"
import { loadProven } from "../src/store/verdicts.ts"
import { owner } from "./support/graphs.ts"
import { add, contextAt, grow, now, signerOf, temporaryDir } from "./support/people.ts"

/** A key as an account: nothing to look at. */
const spare = signerOf(77).key

interface World {
  readonly dir: string
  /** TXT records by name; a name that is not here has no answer. */
  readonly records?: Readonly<Record<string, readonly string[]>>
  readonly documents?: readonly ChainReplay[]
  /** Chains by their URL. */
  readonly places?: Readonly<Record<string, ChainReplay>>
  readonly offline?: boolean
  readonly requireChain?: boolean
  readonly asked?: string[]
}

function gather(
  typed: string,
  { dir, records = {}, documents = [], places = {}, offline = false, requireChain = false, asked = [] }: World,
): Promise<Gathered> {
  const net: Net = {
    now: () => now,
    settings: { relays: [] },
    async resolveTxt(name) {
      asked.push(name)
      // Every zone of the world outside works.
      const found = name.startsWith("_kez.") ? records[name] : ["v=spf1 -all"]
      if (found === undefined) throw new KezError("net.timeout", "no answer")
      return { status: found.length === 0 ? "empty" : "found", records: found, server: "192.0.2.1" } as Awaited<
        ReturnType<Net["resolveTxt"]>
      >
    },
    openSocket: () => Promise.reject(new KezError("net.refused", "not here")),
    openStream: () => Promise.reject(new KezError("net.refused", "not here")),
    async fetch(url) {
      asked.push(url)
      const chain = places[url]
      if (chain === undefined) throw new KezError("net.dns", "not here")
      return {
        url,
        status: 200,
        body: Buffer.from(formatChain(chain.path)),
        headers: {},
        sha256: chain.head.digest,
        fetchedAt: now,
      }
    },
  }
  const context = { ...contextAt(dir), terminal: { progress() {} } } as unknown as Context
  const served = documents.map((chain) => chainOfDocument("chain.jsonl", Buffer.from(formatChain(chain.path))))
  return gatherGraph(context, typed, {
    demands: {
      primary: undefined,
      requireChain,
      requireFresh: false,
      acceptNewAccount: false,
      stores: [],
      documents: served,
      timeoutMs: 1_000,
      net: async () => net,
    },
    offline,
  })
}

async function recordOf(domain: string, by: Signer = owner): Promise<Record<string, readonly string[]>> {
  const claim = await signClaim({ subject: `dns:${domain}`, createdAt: now - 60 }, by)
  return { [`_kez.${domain}`]: [encodeProof(claim, "compact")] }
}

async function store(dir: string, chain: ChainReplay): Promise<void> {
  await withStore(contextAt(dir), (opened) => inTransaction(opened, () => storeBranch(opened, chain.path, now)))
}

function wordsOf({ graph }: Gathered): readonly (readonly [string, string])[] {
  return graph.accounts.map(({ subject, badge }) => [subject, badge.word] as const)
}

test("gatherGraph() goes from one account to the chain, and looks at all that it lists at once", async (t) => {
  const dir = temporaryDir(t)
  await store(
    dir,
    await grow(undefined, owner, add("dns:mira.dev"), add("dns:mira.net"), add("dns:mira.org"), add(spare)),
  )
  const records = { ...(await recordOf("mira.dev")), ...(await recordOf("mira.net")), "_kez.mira.org": [] }
  const asked: string[] = []
  const found = await gather("dns:MIRA.dev", { dir, records, asked })
  assert.deepEqual(wordsOf(found), [
    ["dns:mira.dev", "proven"],
    ["dns:mira.net", "proven"],
    ["dns:mira.org", "not found"],
    [spare, "can't be looked at"],
  ])
  assert.deepEqual([found.graph.asked, found.exitCode], [{ kind: "account", identity: "dns:mira.dev" }, 0])
  for (const name of ["_kez.mira.dev", "_kez.mira.net", "_kez.mira.org"])
    assert.equal(asked.filter((one) => one === name).length, 1, name)
})

test("gatherGraph() does not take the proof of another identity for one of this", async (t) => {
  const dir = temporaryDir(t)
  await store(dir, await grow(undefined, owner, add("dns:mira.dev")))
  const found = await gather(owner.key, { dir, records: await recordOf("mira.dev", signerOf(7)) })
  assert.deepEqual(
    [found.graph.accounts[0]?.isProven, found.graph.accounts[0]?.reason],
    [false, "proof.primary_mismatch"],
  )
  assert.equal(found.exitCode, 0, "nobody asked for that account")
})

test("gatherGraph() finds a chain by a key, a device, its id or the start of it, in the store and in documents", async (t) => {
  const device = signerOf(5)
  const chain = await grow(undefined, owner, add("github:mira"), { op: "add_device", device })
  const dir = temporaryDir(t)
  const given = { dir, documents: [chain], offline: true }
  for (const typed of [owner.key, device.key, chain.chain, `${chain.chain.slice(0, 15)}…`, "github:mira"]) {
    const { graph } = await gather(typed, given)
    assert.deepEqual([graph.centre.chain?.id, graph.accounts.length, graph.devices.length], [chain.chain, 1, 1], typed)
  }
  assert.equal((await gather(device.key, given)).graph.devices[0]?.isAsked, true)
  const held = temporaryDir(t)
  await store(held, chain)
  for (const typed of [owner.key, device.key, chain.chain]) {
    assert.equal((await gather(typed, { dir: held, offline: true })).graph.centre.chain?.id, chain.chain, typed)
  }
})

test("gatherGraph() says what it cannot find", async (t) => {
  const dir = temporaryDir(t)
  const other = await grow(undefined, signerOf(8), add("github:other"))
  const codes = [
    [owner.key, "chain.unknown"],
    [`sha256:${"0".repeat(64)}`, "chain.unknown"],
    ["sha256:12", "usage"],
    ["did:web:x", "identity.unsupported"],
  ] as const
  for (const [typed, code] of codes) await assert.rejects(gather(typed, { dir, documents: [other] }), { code }, typed)
})

test("gatherGraph() refuses to choose between two chains of one key", async (t) => {
  const documents = [await grow(undefined, owner, add("github:a")), await grow(undefined, owner, add("github:b"))]
  await assert.rejects(gather(owner.key, { dir: temporaryDir(t), documents }), { code: "chain.fork" })
})

test("gatherGraph() still knows whose account it was when its place is silent", async (t) => {
  const dir = temporaryDir(t)
  await store(dir, await grow(undefined, owner, add("dns:mira.dev"), add("dns:mira.net")))
  await gather("dns:mira.dev", { dir, records: await recordOf("mira.dev") })
  await withStore(contextAt(dir), (opened) => assert.equal(loadProven(opened, "dns:mira.dev")?.primary, owner.key))
  for (const offline of [false, true]) {
    const found = await gather("dns:mira.dev", { dir, offline })
    const [account] = found.graph.accounts
    assert.deepEqual([found.graph.centre.primary, found.graph.accounts.length], [owner.key, 2])
    assert.deepEqual([account?.isProven, account?.badge.tone, account?.lastProven], [false, "muted", now])
    assert.equal(found.exitCode, offline ? 0 : 5)
  }
})

test("gatherGraph() with offline asks nobody and makes no verdict", async (t) => {
  const asked: string[] = []
  const found = await gather("dns:mira.dev", { dir: temporaryDir(t), offline: true, asked })
  assert.deepEqual([asked, wordsOf(found), found.exitCode], [[], [["dns:mira.dev", "not looked at"]], 0])
})

test("gatherGraph() shows an account alone when no chain is known, and says what that means for the exit code", async (t) => {
  const dir = temporaryDir(t)
  const records = { ...(await recordOf("mira.dev")), "_kez.none.dev": [] }
  const alone = await gather("dns:mira.dev", { dir, records })
  assert.deepEqual([alone.graph.centre.primary, alone.graph.centre.chain, alone.exitCode], [owner.key, undefined, 0])
  assert.equal((await gather("dns:mira.dev", { dir, records, requireChain: true })).exitCode, 5)
  const none = await gather("dns:none.dev", { dir, records })
  assert.deepEqual([none.graph.centre.primary, none.exitCode], [undefined, 14])
})

test("gatherGraph() ends with 13 for a key or a chain whose history is two", async (t) => {
  const start = await grow(undefined, owner, add("github:mira"))
  const documents = [await grow(start, owner, add("github:a")), await grow(start, owner, add("github:b"))]
  const found = await gather(owner.key, { dir: temporaryDir(t), documents, offline: true })
  assert.deepEqual([found.graph.centre.chain?.status, found.exitCode], ["fork", 13])
})

test("gatherGraph() judges what was asked once more where another account brought newer events", async (t) => {
  const old = await grow(undefined, owner, add("dns:first.dev"), add("dns:second.dev"))
  const places = {
    "https://old.dev/chain": old,
    "https://new.dev/chain": await grow(old, owner, { op: "revoke", subject: "dns:first.dev" }),
  }
  const [first = [], second = []] = [
    ...Object.values(await recordOf("first.dev")),
    ...Object.values(await recordOf("second.dev")),
  ]
  const records = {
    "_kez.first.dev": [...first, "Chain: https://old.dev/chain"],
    "_kez.second.dev": [...second, "Chain: https://new.dev/chain"],
  }
  const { graph, exitCode } = await gather("dns:first.dev", { dir: temporaryDir(t), records, places })
  assert.deepEqual(
    graph.accounts.map(({ subject, status, isProven }) => [subject, status, isProven]),
    [
      ["dns:first.dev", "revoked", false],
      ["dns:second.dev", "valid", true],
    ],
  )
  assert.equal(exitCode, 11)
})
