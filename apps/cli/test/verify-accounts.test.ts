/** Many accounts at once, and when a watcher looks again. SPEC §6, VER-14 */
import assert from "node:assert/strict"
import { test } from "node:test"
import type { Net } from "@kez/channels"
import { encodeProof, KezError, signClaim } from "@kez/core"
import { readAccount } from "../src/account-look.ts"
import { waitAfter } from "../src/commands/verify-watch.ts"
import type { Answer } from "../src/consult.ts"
import { readStore } from "../src/store/access.ts"
import { loadProven } from "../src/store/verdicts.ts"
import { worstExitCode } from "../src/verdict-order.ts"
import { type Demands, verifyAccounts } from "../src/verify-accounts.ts"
import { contextAt, now, signerOf, temporaryDir } from "./support/people.ts"

const owner = signerOf(1)

/** Names with a record, names without one, and names whose server fails. */
function netOf(records: Readonly<Record<string, string | Error>>): Net {
  return {
    now: () => now,
    settings: { relays: [] },
    fetch: (url) => Promise.reject(new KezError("net.dns", `Cannot fetch from ${url}`)),
    openSocket: (url) => Promise.reject(new KezError("net.refused", `Cannot open ${url}`)),
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
