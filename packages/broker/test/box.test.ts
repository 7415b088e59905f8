/** Boxes of the callout: the vector of NaCl's own tests, and boxes that somebody changed. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { createBoxes } from "../src/callout/box.ts"
import { createSeed, formatPublicKey, formatSeed, parseSeed } from "../src/nkey.ts"

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(/\s/g, ""), "hex")

/** Bernstein, "Cryptography in NaCl", 2009: Bob opens what Alice sealed. */
const nacl = {
  bobSecret: hex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"),
  alicePublic: hex("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"),
  nonce: hex("69696ee955b62b73cd62bda875fc73d68219e0036b7a0b37"),
  sealed:
    hex(`f3ffc7703f9400e52a7dfb4b3d3305d98e993b9f48681273c29650ba32fc76ce48332ea7164d96a4476fb8c531a1186ac0dfc17c98dce87b
    4da7f011ec48c97271d2c20f9b928fe2270d6fb863d51738b48eeee314a7cc8ab932164548e526ae90224368517acfeabd6bb3732bc0e9da99832b61ca01b6de
    56244a9e88d5f9b37973f622a43d14a6599b1f654cb45a74e355a5`),
  text: hex(`be075fc53c81f2d5cf141316ebeb0c7b5228c52a4c62cbd44b66849b64244ffce5ecbaaf33bd751a1ac728d45e6c61296cdc3c01233561f41db6
    6cce314adb310e3be8250c46f06dceea3a7fa1348057e2f6556ad6b1318a024a838f21af1fde048977eb48f59ffd4924ca1c60902e52f0a089bc76897040e082
    f937763848645e0705`),
}

test("open() opens the box of NaCl's own test", () => {
  const bob = createBoxes(parseSeed(formatSeed("curve", nacl.bobSecret), "curve"))
  const sealed = Buffer.concat([Buffer.from("xkv1"), nacl.nonce, nacl.sealed])
  assert.deepEqual(Buffer.from(bob.open(sealed, formatPublicKey("curve", nacl.alicePublic))), nacl.text)
})

const [server, responder, stranger] = [newKey(), newKey(), newKey()]
const [atServer, atResponder] = [createBoxes(server), createBoxes(responder)]
const text = Buffer.from("may this client connect?")

test("open() opens what seal() sealed, each time sealed differently", () => {
  const [one, two] = [atServer.seal(text, responder.publicKey), atServer.seal(text, responder.publicKey)]
  assert.notDeepEqual(one, two)
  for (const sealed of [one, two]) assert.deepEqual(Buffer.from(atResponder.open(sealed, server.publicKey)), text)
})

test("open() answers key.unlock to any changed bit, any cut, another sender and another recipient", () => {
  const sealed = atServer.seal(text, responder.publicKey)
  const refuse = (bytes: Uint8Array, from = server.publicKey) =>
    assert.throws(() => atResponder.open(bytes, from), { code: "key.unlock" })
  for (let at = 0; at < sealed.length; at++) {
    const changed = Uint8Array.from(sealed)
    changed[at] = (changed[at] ?? 0) ^ 1
    refuse(changed)
    refuse(sealed.subarray(0, at))
  }
  refuse(sealed, stranger.publicKey)
  refuse(atServer.seal(text, stranger.publicKey))
  refuse(Buffer.concat([sealed, Buffer.alloc(1)]))
  refuse(Buffer.alloc(40_000, "xkv1"))
})

test("open() answers key.unlock to keys of small order, with which everybody has the same secret", () => {
  const sealed = atServer.seal(text, responder.publicKey)
  for (const weak of [new Uint8Array(32), Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? 1 : 0))]) {
    assert.throws(() => atResponder.open(sealed, formatPublicKey("curve", weak)), { code: "key.unlock" })
  }
  assert.throws(() => atResponder.open(sealed, "not a key"), { code: "key.unlock" })
})

test("boxes of more servers than are remembered still open", () => {
  const servers = Array.from({ length: 70 }, newKey)
  for (const { publicKey } of [...servers, ...servers]) atResponder.seal(text, publicKey)
  const [first = server] = servers
  assert.deepEqual(
    Buffer.from(atResponder.open(createBoxes(first).seal(text, responder.publicKey), first.publicKey)),
    text,
  )
})

function newKey() {
  return parseSeed(createSeed("curve"), "curve")
}
