/** What others say about where they are: what makes no sense is left out, and takes nothing else with it. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { createDeviceKeys, deviceSigner } from "../src/credential/device-keys.ts"
import { isEndpoint, readablePeers, readableProviders } from "../src/files/reach.ts"

const endpointOf = (): string => deviceSigner(createDeviceKeys()).key.replace(/^ed25519:/, "")
const good = endpointOf()
/** RFC 8032 §7.1, test 1. */
const known = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"

test("isEndpoint() takes keys", () => {
  for (const hex of [known, ...Array.from({ length: 50 }, endpointOf)]) assert.equal(isEndpoint(hex), true, hex)
})

test("isEndpoint() refuses what is no point, or not in its one encoding", () => {
  const little = (value: bigint): string =>
    (value.toString(16).padStart(64, "0").match(/../g) ?? []).toReversed().join("")
  const p = 2n ** 255n - 19n
  for (const hex of [
    ...["", "zz".repeat(32), known.slice(2), known.toUpperCase(), `${known}00`],
    // y of 2 has no x; 1 and p - 1 have x = 0, which has no negative; y of p or more is another's.
    ...[2n, 2n ** 255n + 1n, 2n ** 255n + p - 1n, p, p + 1n, p + 4n].map(little),
  ])
    assert.equal(isEndpoint(hex), false, hex)
  for (const hex of [1n, p - 1n].map(little)) assert.equal(isEndpoint(hex), true, hex)
})

test("a peer that is no key is left out of an allow-list", () => {
  assert.deepEqual(readablePeers(["00".repeat(31), good, "02".padEnd(64, "0")]), [good])
})

test("a provider keeps the addresses and the relay that can be read", () => {
  const addresses = [
    "192.0.2.7:4000",
    "[2001:db8::1]:4000",
    "example.org:1",
    "192.0.2.7",
    "1.2.3.4:70000",
    "[fe80::1%1]:1",
    "",
  ]
  const provider = { endpoint: good, addresses, relay: "https://relay.example.org/" }
  assert.deepEqual(readableProviders([provider, { endpoint: "02".padEnd(64, "0"), addresses: [] }], []), [
    { ...provider, addresses: ["192.0.2.7:4000", "[2001:db8::1]:4000"] },
  ])
})

test("a provider's relay is asked over HTTPS, or where it is one's own", () => {
  const relaysOf = (relay: string, own: readonly string[] = []) =>
    readableProviders([{ endpoint: good, addresses: [], relay }], own).map((one) => one.relay)
  for (const relay of [
    "",
    "relay",
    "file:///etc/passwd",
    "javascript:0",
    "http://127.0.0.1:8222/",
    "http://relay.example.org",
  ])
    assert.deepEqual(relaysOf(relay), [undefined], relay)
  assert.deepEqual(relaysOf("http://127.0.0.1:3340", ["http://127.0.0.1:3340/"]), ["http://127.0.0.1:3340/"])
})
