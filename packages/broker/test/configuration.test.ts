/** The configuration of nats-server: each line of it that something depends on, and settings that would mean something else. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { formatConfiguration, type PublicKeys, type ServerSettings } from "../src/server/configuration.ts"

const names = ["auth", "store", "chat", "sys", "issuer", "xkey"] as const
const keys = Object.fromEntries(
  names.map((name) => [name, { publicKey: `KEY_OF_${name.toUpperCase()}` }]),
) as PublicKeys
const settings: ServerSettings = {
  name: "kez",
  dataFolder: "/data/streams",
  logFile: "/data/nats-server.log",
  pidFile: "/data/nats-server.pid",
  client: { host: "127.0.0.1", port: 4222 },
  websocket: { host: "127.0.0.1", port: 8443, allowedOrigins: ["https://chat.example", "http://127.0.0.1:6969"] },
  monitorPort: 8222,
}
const text = formatConfiguration(keys, settings)

const lines: ReadonlyArray<readonly [why: string, line: string]> = [
  ["an acknowledged message is on the disk", "sync_interval: always"],
  ["the 1,001st reader of a stream is taken", "default_max_consumers: -1"],
  ["a herd is let in, not timed out", "timeout: 30"],
  ["questions are sealed", "xkey: KEY_OF_XKEY"],
  [
    "our own services do not go through the callout",
    "auth_users: [ KEY_OF_AUTH, KEY_OF_STORE, KEY_OF_CHAT, KEY_OF_SYS ]",
  ],
  ["a bomb before authentication cannot be inflated", "compression: false"],
  ["pages of others cannot open a WebSocket", 'allowed_origins: ["https://chat.example", "http://127.0.0.1:6969"]'],
  ["the monitor is on loopback", 'http: "127.0.0.1:8222"'],
  ["one who does not read is cut off", "max_pending: 4194304"],
  [
    "one pull is let through between accounts, and nothing else",
    'exports: [ { service: "$JS.API.CONSUMER.MSG.NEXT.*.*", response_type: stream, accounts: [CHAT] } ]',
  ],
  [
    "the responder can only answer",
    'subscribe: { allow: ["$SYS.REQ.USER.AUTH"] }, publish: { deny: [">"] }, allow_responses: true',
  ],
]

for (const [why, line] of lines) {
  test(`formatConfiguration() has ${line}, so that ${why}`, () => {
    assert.ok(text.includes(line), text)
  })
}

test("formatConfiguration() has no no_auth_user, no password and no seed", () => {
  assert.doesNotMatch(text, /no_auth_user|password|token|\bS[UAX][A-Z2-7]{56}\b/)
})

const hostile: ReadonlyArray<readonly [name: string, change: Partial<ServerSettings>]> = [
  ["a name that ends its text", { name: 'kez"\nno_auth_user: x' }],
  ["a path that is a variable", { dataFolder: "$HOME/x" }],
  ["a path with a backslash", { logFile: "C:\\x" }],
  ["a port of 0", { client: { host: "127.0.0.1", port: 0 } }],
  ["a port of 65536", { monitorPort: 65_536 }],
  ["a host with a space", { client: { host: "127.0.0.1 }", port: 4222 } }],
  ["an origin with a path", { websocket: { ...settings.websocket, allowedOrigins: ["https://chat.example/x"] } }],
  ["an origin of all", { websocket: { ...settings.websocket, allowedOrigins: ["*"] } }],
  ["WebSockets in the clear on an address of the world", { websocket: { ...settings.websocket, host: "192.0.2.1" } }],
]

for (const [name, change] of hostile) {
  test(`formatConfiguration() answers usage to ${name}`, () => {
    assert.throws(() => formatConfiguration(keys, { ...settings, ...change }), { code: "usage" })
  })
}

test("formatConfiguration() takes a certificate for WebSockets of the world, and IPv6", () => {
  const tls = { certFile: "/tls/cert.pem", keyFile: "/tls/key.pem" }
  const given = formatConfiguration(keys, {
    ...settings,
    websocket: { ...settings.websocket, host: "2001:db8::1", tls },
  })
  assert.ok(given.includes('listen: "[2001:db8::1]:8443"'))
  assert.ok(given.includes('tls { cert_file: "/tls/cert.pem", key_file: "/tls/key.pem" }'))
  assert.ok(!given.includes("no_tls"))
})
