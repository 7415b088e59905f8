/** `kez files share --with GROUP`: members get it; who is not in the group, or not any more, does not; over real servers and the real kez-iroh. */
import assert from "node:assert/strict"
import { once } from "node:events"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { after, before, describe, test } from "node:test"
import { openSession, type Session } from "../cli/support/pty.ts"
import { skipWithoutNats } from "../support/broker.ts"
import { type Chatter, envOf, makeFriend, makeMember, startCouple } from "../support/chat-people.ts"
import { buildIroh, folderOf, getOfAlice, startKez } from "../support/files-people.ts"
import { skipWithoutIroh } from "../support/iroh.ts"
import { type Answer, laterCleaner } from "../support/person.ts"

const timeoutMs = 50_000

describe("files that are shared with a group", { skip: skipWithoutNats || skipWithoutIroh() }, () => {
  const t = laterCleaner(after)
  let alice: Chatter
  let bob: Chatter
  let carol: Chatter
  let dave: Chatter
  let env: { readonly KEZ_IROH: string }
  let plan: string

  const share = (...who: readonly string[]): Promise<Answer> =>
    alice.json(["files", "share", plan, "--with", ...who], { env, timeoutMs })
  const named = ({ data }: Answer): readonly string[] =>
    data.shares[0].with.map(({ name }: { readonly name: string }) => name).toSorted()
  const chatting = async (who: Chatter, work: (chat: Session) => Promise<void>): Promise<void> => {
    using chat = openSession(["chat", "--plain"], { env: { ...envOf(who), ...env }, columns: 110 })
    await chat.expect(/online/)
    await work(chat)
    chat.enter("/quit")
    assert.equal(await chat.end(), 0)
  }
  /** The code of the refusal, or what arrived: of each of them, while Alice serves. */
  const fetchedBy = async (...people: readonly Chatter[]): Promise<readonly string[]> => {
    const serving = startKez(t, alice, { args: ["files", "serve"], env })
    await serving.until(({ data }) => data.event === "ready")
    const all = await Promise.all(people.map((who) => getOfAlice(who, "plan.txt", env)))
    serving.child.kill("SIGINT")
    await once(serving.child, "exit")
    return all.flat()
  }

  before(async () => {
    env = await buildIroh()
    const couple = await startCouple(t)
    ;({ alice, bob } = couple)
    carol = await makeFriend(t, couple, "carol")
    dave = await makeFriend(t, couple, "dave")
    plan = join(folderOf(alice, "out"), "plan.txt")
    writeFileSync(plan, "beans")
    await chatting(alice, async (chat) => {
      chat.enter("/group garden bob carol")
      await chat.expect(/with garden: .*you \(owner\)/)
    })
    // None of Alice's contacts.
    await makeMember(t, couple.world, "erin")
    await chatting(bob, async (chat) => {
      for (const [name, others] of [["dave@localhost", "alice"] as const, ["orchard", "alice erin"] as const]) {
        chat.enter(`/group ${name} ${others}`)
        await chat.expect(new RegExp(`with ${name}: .*you \\(owner\\)`))
      }
    })
  })

  test("members get it, and a contact who is not in the group does not", async () => {
    const shared = await share("garden")
    assert.equal(shared.code, 0, JSON.stringify(shared))
    assert.deepEqual([named(shared), shared.warnings], [["bob@localhost", "carol@localhost"], []])
    assert.deepEqual(await fetchedBy(bob, carol, dave), ["plan.txt", "plan.txt", "file.refused"])
  })

  test("people stand beside a group, and what is neither is refused before anything is shared", async () => {
    const unknown = await share("garden", "meadow")
    assert.deepEqual([unknown.code, unknown.error.code], [1, "store.unknown"])
    assert.deepEqual(named(await share("garden", "dave")), ["bob@localhost", "carol@localhost", "dave@localhost"])
  })

  test("kez files list says through which group somebody has it, and who is named by himself", async () => {
    const { code, stdout } = await alice.kez(["files", "list"], { timeoutMs })
    assert.equal(code, 0)
    for (const name of ["bob", "carol"]) assert.ok(stdout.includes(`${name}@localhost (in garden)`), stdout)
    assert.match(stdout, /dave@localhost(?! \()/)
  })

  test("who was removed from the group does not get it any more; who is named beside it still does", async () => {
    await chatting(alice, async (chat) => {
      chat.enter("/to garden")
      await chat.expect(/with garden: /)
      chat.enter("/remove carol")
      chat.enter("/members")
      await chat.expect(/you \(owner\)/)
    })
    assert.deepEqual(await fetchedBy(bob, carol, dave), ["plan.txt", "file.refused", "plan.txt"])
    assert.deepEqual(named(await share("garden")), ["bob@localhost"])
  })

  test("a group that somebody called dave@localhost gets nothing that is meant for Dave", async () => {
    assert.deepEqual(named(await share("dave@localhost")), ["dave@localhost"])
  })

  test("of a group that somebody else made only contacts are named, and how many are not is said", async () => {
    const shared = await share("orchard")
    assert.equal(shared.code, 0, JSON.stringify(shared))
    assert.deepEqual(named(shared), ["bob@localhost"])
    assert.deepEqual(shared.warnings, ["not with 1 in orchard who are none of your contacts"])
  })
})
