/**
 * Alice, whose engine gives files over a real kez-iroh, and Bob, a contact with an engine and a kez-iroh but nothing that fetches by itself: what he, or
 * anybody else, gets of Alice's is the test's to try.
 */
import assert from "node:assert/strict"
import { randomBytes } from "node:crypto"
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout } from "node:timers/promises"
import { type FileMover, Files, type MoverEvent } from "@kez/chat"
import { createNodeDisk, startIroh } from "@kez/chat/iroh"
import { clock, openTestEngine, until } from "./chat-engines.ts"
import { startChatWorld } from "./chat-world.ts"
import { buildIroh } from "./files-people.ts"
import type { Cleaner } from "./person.ts"

/** As long as that somebody who is not on the list tries. */
const triedMs = 4_000

export type Givers = Awaited<ReturnType<typeof openGivers>>

/** `path`: a file of `size` random bytes that lies at Alice's. */
export async function openGivers(t: Cleaner, size: number) {
  const folder = mkdtempSync(join(tmpdir(), "kez-givers-"))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const program = (await buildIroh()).KEZ_IROH
  const moverOf = (name: string): Promise<FileMover> =>
    startIroh({ program, data: join(folder, name), bind: ["127.0.0.1:0"] })
  const world = await startChatWorld(t)
  const [alicia, bobby] = [await world.person("alice"), await world.person("bobby")]
  const [first, second] = [alicia.devices[0], bobby.devices[0]]
  assert.ok(first && second)
  const alice = await openTestEngine(t, world, { person: alicia, device: first })
  const bob = await openTestEngine(t, world, { person: bobby, device: second })
  await alice.engine.contacts.add("bobby@localhost")
  await bob.engine.contacts.add("alice@localhost")
  await until("key packages", async () => (await alice.engine.settled(500)) && (await bob.engine.settled(500)))
  await alice.say(bobby.chain.chain, "hello")
  await until("hello", async () => (await bob.texts(alicia.chain.chain)).includes("hello"))
  const mover = await moverOf("alice")
  const disk = createNodeDisk(join(folder, "alice-disk"))
  const files = new Files(
    { engine: alice.engine, mover, disk, clock, newId: () => randomBytes(32).toString("hex") },
    () => undefined,
    () => undefined,
  )
  files.start()
  const bobs = await moverOf("bob")
  t.after(async () => {
    await files.close()
    await bobs.close()
  })
  const { id: conversation } = await alice.engine.openDirect(bobby.chain.chain)
  const path = join(folder, "secret.bin")
  writeFileSync(path, randomBytes(size))
  /** Bob's chain revokes his device, and Alice has heard of it. */
  const revokeBob = async (): Promise<void> => {
    await bobby.append({ op: "revoke_device", keys: [second.device] })
    await until("the revocation", async () =>
      (await alice.engine.devices(conversation)).every((one) => one.isSelf || one.standing !== "current"),
    )
    await files.run(async () => undefined)
  }
  return { folder, alice, bob, bobby, mover, bobs, files, conversation, path, moverOf, revokeBob }
}

export interface Tried {
  readonly isDone: boolean
  readonly bytes: number
}

/** Whether a fetch from Alice brings a file. One that brings nothing is called off. */
export async function tryFetch(
  { folder, mover }: Pick<Givers, "folder" | "mover">,
  by: FileMover,
  wanted: { readonly job: string; readonly hash: string; readonly size: number },
): Promise<Tried> {
  const { job, hash, size } = wanted
  const into = join(folder, `into-${job}`)
  mkdirSync(into)
  let bytes = 0
  let end: string | undefined
  by.on((event: MoverEvent) => {
    if (!("job" in event) || event.job !== job) return
    if (event.event === "progress" || event.event === "end") bytes = event.bytes
    if (event.event === "end") end = event.state
  })
  await by.fetch({ job, into, files: [{ hash, size, path: "x" }], providers: [mover.address()] })
  for (let waited = 0; end === undefined && waited < triedMs; waited += 50) await setTimeout(50)
  if (end === undefined) await by.cancel(job)
  assert.equal(existsSync(join(into, "x")), end === "done")
  return { isDone: end === "done", bytes }
}
