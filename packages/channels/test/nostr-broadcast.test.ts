/** What relays are given, and in which order. SPEC NOSTR-7. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { createSigner, KezError } from "@kez/core"
import { giveToRelays } from "../src/nostr-broadcast.ts"
import { authorOf, signEvent } from "../src/nostr-event.ts"
import { createTableNet } from "./support/table-net.ts"

const signer = createSigner("nostr", new Uint8Array(32).fill(0x42))
const pubkey = authorOf(signer.key.slice("nostr:".length))

function make(kind: number) {
  return signEvent({ pubkey, created_at: 1_800_000_000, kind, tags: [], content: "" }, signer.sign)
}

/** A relay that answers an event by this, and otherwise falls silent or leaves. */
function netOf(given: number[], answers: (kind: number) => boolean, isSilent: boolean) {
  const openSocket = async () => {
    const said: string[] = []
    return {
      send(text: string) {
        const [, event] = JSON.parse(text) as [string, { readonly id: string; readonly kind: number }]
        given.push(event.kind)
        if (answers(event.kind)) said.push(JSON.stringify(["OK", event.id, true, ""]))
      },
      async *messages() {
        for (let text = said.shift(); text !== undefined; text = said.shift()) yield text
        if (isSilent) throw new KezError("net.timeout", "Cannot read the relay: expected an answer, got none")
      },
      close() {},
    }
  }
  const net = createTableNet({ now: 1_800_000_000, relays: [{ url: "wss://a.example" }] })
  return { ...net, openSocket }
}

for (const isSilent of [true, false]) {
  test(`a relay that ${isSilent ? "is silent about" : "leaves at"} a deletion has what takes the place of the proof`, async () => {
    const given: number[] = []
    const events = await Promise.all([make(5), make(30_078), make(0)])
    const net = netOf(given, (kind) => kind !== 5, isSilent)
    const [outcome] = await giveToRelays(events, net, new AbortController().signal)
    assert.deepEqual(given, [30_078, 0, 5])
    assert.equal(outcome?.accepted, true)
    const mute = netOf([], () => false, isSilent)
    const [alone] = await giveToRelays([await make(5)], mute, new AbortController().signal)
    assert.equal(alone?.accepted, false)
  })
}
