/** What is shared with a contact is given to nobody else, whatever hash he knows: real engines, real kez-iroh. F2, F11 of adversarial.md. */
import assert from "node:assert/strict"
import { after, before, describe, test } from "node:test"
import type { FileMover } from "@kez/chat"
import { skipWithoutNats } from "../support/broker.ts"
import { until } from "../support/chat-engines.ts"
import { type Givers, openGivers, tryFetch } from "../support/files-engines.ts"
import { skipWithoutIroh } from "../support/iroh.ts"
import { laterCleaner } from "../support/person.ts"

describe("who may not have what is shared", { skip: skipWithoutNats || skipWithoutIroh() }, () => {
  const t = laterCleaner(after)
  let givers: Givers
  /** The file, the root document, and the page that lists it. */
  let wanted: readonly { readonly hash: string; readonly size: number }[]

  /** How many of the three a fetch from Alice brings. */
  const fetchBy = async (mover: FileMover, job: string): Promise<number> => {
    let brought = 0
    for (const [n, blob] of wanted.entries())
      if ((await tryFetch(givers, mover, { job: `${job}-${n}`, ...blob })).isDone) brought += 1
    return brought
  }
  const share = async (): Promise<void> => {
    const { files, mover, bobby, path } = givers
    await files.shares.share([path], [bobby.chain.chain])
    await files.shares.open()
    const own = await files.shares.current()
    const [file] = (await mover.import([path])).files
    assert.ok(own && file)
    wanted = [file, own.root, ...(own.sections[0]?.pages ?? [])].map(({ hash, size }) => ({ hash, size }))
  }

  before(async () => {
    givers = await openGivers(t, 100_000)
    await share()
  })

  test("a contact's device gets nothing before it said where it is", async () => {
    assert.equal(await fetchBy(givers.bobs, "early"), 0)
  })

  test("then it gets the file and the list, and is told where", async () => {
    const { bob, bobs, conversation } = givers
    assert.equal(await bob.engine.tellPresence(conversation, bobs.address(), { wish: "shares" }), true)
    await until("Alice's list", async () => bob.events.some((event) => event.kind === "shares"))
    assert.equal(await fetchBy(bobs, "member"), 3)
  })

  test("a stranger with the right hashes and address gets nothing, not even the list", async () => {
    const stranger = await givers.moverOf("stranger")
    assert.equal(await fetchBy(stranger, "stranger"), 0)
    await stranger.close()
  })

  test("a contact who is blocked gets nothing, and gets it again when he is accepted", async () => {
    const { alice, bobby, bobs } = givers
    let tries = 0
    const job = (name: string): string => `${name}-${++tries}`
    await alice.engine.contacts.block(bobby.chain.chain)
    await until("closed doors", async () => (await fetchBy(bobs, job("blocked"))) === 0)
    await alice.engine.contacts.accept(bobby.chain.chain)
    await until("open doors", async () => (await fetchBy(bobs, job("again"))) === 3)
  })

  test("what is shared no more is given no more", async () => {
    const { files, bobs } = givers
    await files.shares.unshare(["secret.bin"])
    assert.equal(await fetchBy(bobs, "unshared"), 0)
    await share()
    assert.equal(await fetchBy(bobs, "shared"), 3)
  })

  test("a device that was revoked gets nothing any more", async () => {
    await givers.revokeBob()
    assert.equal(await fetchBy(givers.bobs, "revoked"), 0)
  })
})
