/** A stranger with the right hash, and a device that was revoked, get nothing of what is offered to a member: real engines, real kez-iroh. F2 of adversarial.md. */
import assert from "node:assert/strict"
import { after, before, describe, test } from "node:test"
import type { FileMover } from "@kez/chat"
import { skipWithoutNats } from "../support/broker.ts"
import { until } from "../support/chat-engines.ts"
import { type Givers, openGivers, type Tried, tryFetch } from "../support/files-engines.ts"
import { skipWithoutIroh } from "../support/iroh.ts"
import { laterCleaner } from "../support/person.ts"

const nothing = { isDone: false, bytes: 0 }
const size = 100_000

describe("who is not on the list", { skip: skipWithoutNats || skipWithoutIroh() }, () => {
  const t = laterCleaner(after)
  let givers: Givers
  let hash: string

  const fetchBy = (mover: FileMover, job: string): Promise<Tried> => tryFetch(givers, mover, { job, hash, size })

  before(async () => {
    givers = await openGivers(t, size)
    const { bob, files, conversation, path } = givers
    await files.offer(conversation, [path], "secret.bin")
    await until("the offer", async () => (await bob.engine.messages(conversation)).some(({ fileOffer }) => fileOffer))
    const offer = (await bob.engine.messages(conversation)).find(({ fileOffer }) => fileOffer)?.fileOffer
    hash = offer?.hash ?? ""
  })

  test("F2: a member's device gets nothing before it said where it is", async () => {
    assert.deepEqual(await fetchBy(givers.bobs, "early"), nothing)
  })

  test("then it gets the file, and is told where", async () => {
    const { bob, bobs, mover, conversation } = givers
    assert.equal(await bob.engine.tellPresence(conversation, bobs.address()), true)
    const { endpoint } = mover.address()
    const isHeard = (): boolean =>
      bob.events.some((event) => event.kind === "presence" && event.presence.address.endpoint === endpoint)
    await until("Alice's presence", async () => isHeard())
    assert.deepEqual(await fetchBy(bobs, "member"), { isDone: true, bytes: size })
  })

  test("F2: a stranger with the right hash and address gets nothing", async () => {
    const stranger = await givers.moverOf("stranger")
    assert.deepEqual(await fetchBy(stranger, "stranger"), nothing)
    await stranger.close()
  })

  test("F2: a device that was revoked gets nothing any more", async () => {
    await givers.revokeBob()
    assert.deepEqual(await fetchBy(givers.bobs, "revoked"), nothing)
  })
})
