/** The network of a command, as its settings describe it. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { defaultRelays } from "@kez/channels"
import { loadSettings, readEnv } from "../src/config.ts"
import type { Context } from "../src/context.ts"
import { openNet } from "../src/network.ts"
import { contextAt, now, temporaryDir } from "./support/people.ts"

type Test = Parameters<typeof temporaryDir>[0]

async function contextWith(t: Test, env: NodeJS.ProcessEnv, warnings: string[] = []): Promise<Context> {
  const settings = await loadSettings("/nowhere/config.toml", readEnv(env), {})
  return { ...contextAt(temporaryDir(t)), settings, warn: (text) => void warnings.push(text) }
}

const bounds = { timeoutMs: 1_000 }

test("openNet() gives channels the clock, the relays and the token of the settings", async (t) => {
  const usual = await openNet(await contextWith(t, {}), bounds)
  assert.deepEqual(usual.settings, { relays: defaultRelays })
  assert.equal(usual.now(), now)
  const own = await openNet(await contextWith(t, { KEZ_RELAYS: "wss://a.example", GITHUB_TOKEN: "t" }), bounds)
  assert.deepEqual(own.settings, { relays: ["wss://a.example"], githubToken: "t" })
})

test("openNet() does without a token that cannot be one, and says so without the token", async (t) => {
  const warnings: string[] = []
  const net = await openNet(await contextWith(t, { GH_TOKEN: "secret\nx: y" }, warnings), bounds)
  assert.equal(net.settings.githubToken, undefined)
  assert.equal(warnings.length, 1)
  assert.doesNotMatch(warnings.join(), /secret/)
})

test("openNet() throws net.dns for a resolver that cannot be one", async (t) => {
  await assert.rejects(openNet(await contextWith(t, {}), { ...bounds, resolver: "x" }), { code: "net.dns" })
  await assert.rejects(openNet(await contextWith(t, { KEZ_RESOLVER: "x" }), bounds), { code: "net.dns" })
})
