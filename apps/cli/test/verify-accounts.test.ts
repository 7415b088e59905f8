/** Many accounts at once, and when a watcher looks again. SPEC §6, VER-14 */
import assert from "node:assert/strict"
import { createHash } from "node:crypto"
import { test } from "node:test"
import { setImmediate } from "node:timers/promises"
import type { Net } from "@kez/channels"
import { encodeProof, formatChain, KezError, signClaim } from "@kez/core"
import { readAccount } from "../src/account-look.ts"
import { waitAfter } from "../src/commands/verify-watch.ts"
import type { Answer } from "../src/consult.ts"
import { readStore } from "../src/store/access.ts"
import { loadProven } from "../src/store/verdicts.ts"
import { worstExitCode } from "../src/verdict-order.ts"
import { type Demands, verifyAccounts } from "../src/verify-accounts.ts"
import { add, contextAt, grow, now, signerOf, temporaryDir } from "./support/people.ts"

const owner = signerOf(1)

/** Names with a record, names without one, and names whose server fails. */
function netOf(records: Readonly<Record<string, string | Error>>): Net {
  return {
    now: () => now,
    settings: { relays: [] },
    fetch: (url) => Promise.reject(new KezError("net.dns", `Cannot fetch from ${url}`)),
    openSocket: (url) => Promise.reject(new KezError("net.refused", `Cannot open ${url}`)),
    openStream: () => Promise.reject(new KezError("net.refused", "not here")),
    async resolveTxt(name) {
      const record = records[name]
      if (record instanceof Error) throw record
      const found = record === undefined ? [] : [record]
      return { status: record === undefined ? "no_name" : "found", records: found, server: "table" }
    },
  }
}

function demandsOf(net: Net): Demands {
  return {
    primary: undefined,
    requireChain: false,
    requireFresh: false,
    acceptNewAccount: false,
    documents: [],
    stores: [],
    timeoutMs: 1_000,
    net: async () => net,
  }
}

async function record(domain: string): Promise<string> {
  return encodeProof(await signClaim({ subject: `dns:${domain}`, createdAt: now - 60 }, owner), "compact")
}

test("verifyAccounts() answers in the order asked, each account for itself", async (t) => {
  const net = netOf({
    "_kez.one.dev": await record("one.dev"),
    "_kez.two.dev": await record("other.dev"),
    "_kez.four.dev": new KezError("net.timeout", "late"),
    "five.dev": new KezError("net.dns", "SERVFAIL"),
  })
  const names = ["one", "two", "three", "four", "five"].map((name) => `dns:${name}.dev`)
  const accounts = await Promise.all(names.map(readAccount))
  const told: string[] = []
  const demands = { ...demandsOf(net), onAnswer: (_: Answer, { subject }: { subject: string }) => told.push(subject) }
  const answers = await verifyAccounts(contextAt(temporaryDir(t)), accounts, demands)
  assert.deepEqual(
    answers.map(({ verdict: { subject, status, reason } }) => [subject, status, reason]),
    [
      ["dns:one.dev", "valid", undefined],
      ["dns:two.dev", "invalid", "proof.subject_mismatch"],
      ["dns:three.dev", "invalid", "proof.not_found"],
      ["dns:four.dev", "unreachable", "net.timeout"],
      ["dns:five.dev", "unreachable", "channel.down"],
    ],
  )
  assert.equal(told.length, 5)
  assert.equal(worstExitCode(answers.map(({ verdict }) => verdict)), 10)
  assert.equal(worstExitCode(answers.slice(0, 1).map(({ verdict }) => verdict)), 0)
  assert.equal(worstExitCode(answers.slice(3).map(({ verdict }) => verdict)), 5)
})

test("verifyAccounts() remembers many accounts that are proven at once, in one store", async (t) => {
  const names = Array.from({ length: 24 }, (_, i) => `many-${i}.dev`)
  const records = await Promise.all(names.map(async (name) => [`_kez.${name}`, await record(name)] as const))
  const accounts = await Promise.all(names.map((name) => readAccount(`dns:${name}`)))
  const context = contextAt(temporaryDir(t))
  for (const isKnown of [false, true]) {
    const answers = await verifyAccounts(context, accounts, demandsOf(netOf(Object.fromEntries(records))))
    assert.deepEqual(new Set(answers.map(({ verdict }) => verdict.status)), new Set(["valid"]))
    assert.ok(answers.every(({ lastProven }) => (lastProven !== undefined) === isKnown))
  }
  const proven = await readStore(context, [], (store) => names.map((name) => loadProven(store, `dns:${name}`)?.primary))
  assert.deepEqual(new Set(proven), new Set([owner.key]))
})

test("verifyAccounts() judges each account with the chain that another of them brought", async (t) => {
  const chain = await grow(undefined, owner, add("dns:home.dev"), add("dns:gone.dev"), {
    op: "revoke",
    subject: "dns:gone.dev",
  })
  const short = await grow(undefined, owner, add("dns:home.dev"), add("dns:gone.dev"))
  const reference = encodeProof({ chain: chain.chain }, "reference")
  const listed = await grow(chain, owner, add("dns:short.dev"))
  for (const hinted of [[], ["Chain: https://old.dev/chain"]]) {
    const records: Readonly<Record<string, readonly string[]>> = {
      "_kez.gone.dev": [await record("gone.dev"), ...hinted],
      "_kez.short.dev": [reference],
      "_kez.home.dev": [await record("home.dev")],
    }
    const places: Readonly<Record<string, string>> = {
      "https://home.dev/.well-known/kez-sigchain.jsonl": formatChain(listed.path),
      "https://old.dev/chain": formatChain(short.path),
    }
    const net: Net = {
      ...netOf({}),
      async fetch(url) {
        const body = places[url]
        if (body === undefined) throw new KezError("net.dns", `Cannot fetch from ${url}`)
        // The place that knows most is the slowest.
        if (url.includes("home.dev")) await sleepless(20)
        const sha256 = createHash("sha256").update(body).digest("hex")
        return { url, status: 200, body: Buffer.from(body), headers: {}, sha256, fetchedAt: now }
      },
      async resolveTxt(name) {
        const found = records[name] ?? []
        return { status: found.length === 0 ? "no_name" : "found", records: found, server: "table" }
      },
    }
    const accounts = await Promise.all(["gone", "short", "home"].map((name) => readAccount(`dns:${name}.dev`)))
    const answers = await verifyAccounts(contextAt(temporaryDir(t)), accounts, demandsOf(net))
    assert.deepEqual(
      answers.map(({ verdict: { status, reason } }) => [status, reason]),
      [
        ["revoked", "claim.revoked"],
        ["valid", undefined],
        ["valid", undefined],
      ],
    )
  }
})

/** Turns of the event loop instead of time. */
async function sleepless(turns: number): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await setImmediate()
}

test("readAccount() names the canonical account, and refuses keys, which have no place", async () => {
  assert.equal((await readAccount("DNS:Example.ORG.")).subject, "dns:example.org")
  await assert.rejects(readAccount(`ed25519:${"ab".repeat(32)}`), { code: "channel.unsupported" })
})

test("waitAfter() waits as long as every place asked for, and never less than the interval", () => {
  const answer = (retryAfterSeconds?: number) => ({ verdict: { retryAfterSeconds } }) as Answer
  assert.equal(waitAfter([answer()], 60), 60)
  assert.equal(waitAfter([answer(10)], 60), 60)
  assert.equal(waitAfter([answer(600)], 60), 600)
  assert.equal(waitAfter([answer(600), answer()], 60), 60, "others can be asked meanwhile")
  assert.equal(waitAfter([answer(600), answer(300)], 60), 300)
  assert.equal(waitAfter([], 60), 60)
})
