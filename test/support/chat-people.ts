/** People who chat with the kez command over a whole chat of real servers: each a folder of their own. */
import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { type ChatWorld, startChatWorld } from "./chat-world.ts"
import { type Answer, type Cleaner, makePerson, type Person } from "./person.ts"

export interface Chatter extends Person {
  /** Runs it with --json; fails the test unless it ended with 0. */
  ok(...args: readonly string[]): Promise<Answer["data"]>
}

export interface ChatterSetup {
  /** Besides `localhost`, which is the chat server. */
  readonly hosts?: Readonly<Record<string, string>>
}

export async function makeChatter(t: Cleaner, world: ChatWorld, { hosts = {} }: ChatterSetup = {}): Promise<Chatter> {
  const person = await makePerson(t, { hosts: { localhost: world.server.url, ...hosts }, stores: [world.store.url] })
  return {
    ...person,
    async ok(...args) {
      const answer = await person.json(args, { timeoutMs: 40_000 })
      assert.equal(answer.code, 0, `kez ${args.join(" ")}: ${JSON.stringify(answer)}`)
      return answer.data
    },
  }
}

/** Somebody with an account, whose keys lie open: a second for each passphrase would make tests slow. */
export async function makeMember(
  t: Cleaner,
  world: ChatWorld,
  handle: string,
  setup: ChatterSetup = {},
): Promise<Chatter> {
  const chatter = await makeChatter(t, world, setup)
  const made = await chatter.ok("account", "create", `${handle}@localhost`, "--no-passphrase")
  assert.deepEqual([made.account, made.state], [`${handle}@localhost`, "ready"])
  return chatter
}

export interface Couple {
  readonly world: ChatWorld
  readonly alice: Chatter
  readonly bob: Chatter
}

/** Alice and Bob at a whole chat of real servers: each is a contact of the other, and one message is between them. */
export async function startCouple(t: Cleaner): Promise<Couple> {
  const world = await startChatWorld(t)
  const alice = await makeMember(t, world, "alice")
  return { world, alice, bob: await makeFriend(t, { world, alice }, "bob") }
}

/** Another one like Bob. */
export async function makeFriend(
  t: Cleaner,
  { world, alice }: Pick<Couple, "world" | "alice">,
  handle: string,
): Promise<Chatter> {
  const friend = await makeMember(t, world, handle)
  await alice.ok("dm", handle, "hello")
  await friend.ok("contacts", "add", "alice@localhost")
  return friend
}

/** The environment of a terminal session of somebody. */
export function envOf({ home, dir }: Person): Record<string, string> {
  return { KEZ_HOME: home, HOME: dir, LANG: "C.UTF-8", TZ: "UTC" }
}

/** The files of an account, for tests of what lies on the disk. */
export function accountFile({ home }: Person, id: string, name: string): string {
  return readFileSync(join(home, "accounts", id, name), "utf8")
}
