/** Keys and configuration for a nats-server that something else starts. */
import assert from "node:assert/strict"
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { test } from "node:test"
import { readBrokerKeys } from "@kez/broker"
import { writeBrokerConfig } from "../src/broker/config-command.ts"

test("broker-config writes the same again, keeps keys, and holds no secret", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "kez-broker-config-"))
  t.after(() => rmSync(folder, { recursive: true }))
  const flags = new Map([
    ["seen-at", "/broker"],
    ["client-listen", "0.0.0.0:4333"],
    ["websocket-listen", "[::]:8444"],
    ["origins", "https://chat.example"],
  ])
  const first = writeBrokerConfig(flags, folder)
  const text = readFileSync(first.file, "utf8")
  const keys = readBrokerKeys(first.keysFolder)
  writeBrokerConfig(flags, folder)
  assert.equal(readFileSync(first.file, "utf8"), text)
  assert.equal(readBrokerKeys(first.keysFolder).issuer.publicKey, keys.issuer.publicKey)
  for (const part of ['listen: "0.0.0.0:4333"', 'listen: "[::]:8444"', 'store_dir: "/broker/streams"']) {
    assert.ok(text.includes(part), part)
  }
  assert.ok(!text.includes(folder))
  for (const name of readdirSync(first.keysFolder)) {
    assert.ok(!text.includes(readFileSync(join(first.keysFolder, name), "utf8").trim()), name)
  }
})

test("broker-config refuses what would mean something else", () => {
  for (const [flag, value] of [
    ["client-listen", "4222"],
    ["monitor-port", "0"],
    ["websocket-listen", "192.0.2.1:8443"],
    ["origins", "chat.example"],
    ["tls-cert", "a.pem"],
  ]) {
    const folder = mkdtempSync(join(tmpdir(), "kez-broker-config-"))
    try {
      assert.throws(() => writeBrokerConfig(new Map([[flag ?? "", value ?? ""]]), folder), { code: "usage" }, flag)
    } finally {
      rmSync(folder, { recursive: true })
    }
  }
})
