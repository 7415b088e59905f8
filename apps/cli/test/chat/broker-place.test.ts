/** What a chat server may say about its broker, and what of that is used. */
import assert from "node:assert/strict"
import { test } from "node:test"
import type { Net } from "@kez/channels"
import { KezError } from "@kez/core"
import { aboutHost } from "../../src/account/chat-host.ts"
import { assertSecret } from "../../src/chat/broker-place.ts"

function serverThatSays(about: object): Net {
  const fetch = async () => ({ status: 200, body: Buffer.from(JSON.stringify(about)) })
  return { fetch } as unknown as Net
}

test("aboutHost() takes brokers by TCP and by WebSocket, and nothing that is no plain address", async () => {
  const broker = [
    "wss://chat.example",
    "tls://chat.example:4222",
    "https://chat.example",
    "tls://a:b@c",
    "tls://a/b",
    7,
  ]
  const { broker: told } = await aboutHost(serverThatSays({ broker }), "chat.example", 1_000)
  assert.deepEqual(told, ["wss://chat.example", "tls://chat.example:4222"])
})

test("assertSecret() takes a broker without TLS on this computer alone", () => {
  const fine = [
    "nats://127.0.0.1:4222",
    "ws://localhost:8443",
    "nats://[::1]:4222",
    "tls://chat.example",
    "wss://chat.example",
  ]
  assertSecret("chat.example", fine)
  for (const url of [
    "nats://chat.example:4222",
    "ws://10.0.0.1",
    "nats://localhost.example",
    "nats://127.0.0.1.example",
  ]) {
    assert.throws(
      () => assertSecret("chat.example", [url]),
      (error) => error instanceof KezError && error.code === "net.url",
    )
  }
})
