/** The control of broker-forbidden.test.ts: each attempt works for one who has no permissions to keep to, so a refusal means something. */
import assert from "node:assert/strict"
import { after, describe, test } from "node:test"
import { inboxPrefixOf } from "@kez/core"
import { connect } from "@nats-io/transport-node"
import { skipWithoutNats, startTestBroker } from "../support/broker.ts"
import type { Account } from "../support/broker-api-attacks.ts"
import { attacks } from "../support/broker-attacks.ts"
import { type Attacker, attackBy, makeWorld } from "../support/broker-world.ts"
import { startCarelessCallout } from "../support/careless-callout.ts"

describe("allowed without permissions", { skip: skipWithoutNats }, async () => {
  if (skipWithoutNats !== false) return
  const t = { after }
  const broker = await startTestBroker(t)
  await startCarelessCallout(broker)
  const open = async (token: string, inboxPrefix = "_INBOX") => {
    const connection = await connect({ servers: broker.url, token, inboxPrefix, reconnect: false, timeout: 10_000 })
    t.after(() => connection.close())
    return connection
  }
  const world = await makeWorld(t, broker, { connectBob: (bob) => open(`${bob.uid}.${bob.dev}`, inboxPrefixOf(bob)) })
  const attackers = new Map<Account, Attacker>()
  for (const account of ["CHAT", "STORE", "SYS", "AUTH"] as const) {
    attackers.set(account, attackBy(await open(account), "_INBOX.mallory"))
  }
  for (const { name, control, run } of attacks) {
    test(`works in ${control}: ${name}`, async () => {
      const attacker = attackers.get(control)
      assert.ok(attacker !== undefined)
      await world.prepare()
      assert.equal(await run(attacker, world), "worked")
    })
  }
})
