/** `/share` and `/unshare` in `kez chat`: who is in the conversation sees and gets it, and nobody else does; over real servers and the real kez-iroh. */
import assert from "node:assert/strict"
import { randomBytes } from "node:crypto"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { after, before, describe, test } from "node:test"
import { openSession, type Session } from "../cli/support/pty.ts"
import { skipWithoutNats } from "../support/broker.ts"
import { type Chatter, envOf, makeFriend, makeMember, startCouple } from "../support/chat-people.ts"
import { buildIroh, folderOf, getOfAlice } from "../support/files-people.ts"
import { skipWithoutIroh } from "../support/iroh.ts"
import { laterCleaner } from "../support/person.ts"

const timeoutMs = 50_000

describe("what is shared by typing", { skip: skipWithoutNats || skipWithoutIroh() }, () => {
  const t = laterCleaner(after)
  const sea = randomBytes(300_000)
  let alice: Chatter
  let bob: Chatter
  let carol: Chatter
  let env: { readonly KEZ_IROH: string }

  const chat = (who: Chatter, ...args: readonly string[]): Session =>
    openSession(["chat", ...args], { env: { ...envOf(who), ...env }, columns: 110 })
  const seenBy = async (who: Chatter): Promise<readonly string[]> => {
    const seen = await who.json(["files", "browse", "alice", "--wait", "40"], { env, timeoutMs })
    assert.equal(seen.code, 0, JSON.stringify(seen))
    return seen.data.files.map(({ path }: { readonly path: string }) => path)
  }
  const fetchedBy = (who: Chatter, path: string): Promise<readonly string[]> => getOfAlice(who, path, env)

  before(async () => {
    env = await buildIroh()
    const couple = await startCouple(t)
    ;({ alice, bob } = couple)
    carol = await makeFriend(t, couple, "carol")
    // None of her contacts.
    await makeMember(t, couple.world, "dave")
    writeFileSync(join(folderOf(alice, "my photos"), "sea.jpg"), sea)
    writeFileSync(join(alice.dir, "plan.txt"), "beans")
  })

  test("/share in a conversation of two: the other one sees and gets it and a third contact does not; /unshare ends it", async () => {
    using a = chat(alice, "bob", "--plain")
    await a.expect(/with bob@localhost/)
    a.enter("/share ~/my\\ photos")
    await a.expect(/shared as my photos\. \/unshare my photos ends it for everybody/)
    assert.deepEqual(await seenBy(bob), ["my photos/sea.jpg"])
    assert.deepEqual(await fetchedBy(bob, "my photos"), ["my photos", "my photos/sea.jpg"])
    assert.deepEqual(await seenBy(carol), [])
    assert.deepEqual(await fetchedBy(carol, "my photos/sea.jpg"), ["file.refused"])
    a.enter("/unshare my photos")
    await a.expect(/my photos is not shared any more: .*\/my photos/)
    assert.deepEqual(await seenBy(bob), [])
    assert.deepEqual(await fetchedBy(bob, "my photos/sea.jpg"), ["file.refused"])
    a.enter("/quit")
    assert.equal(await a.end(), 0)
  })

  test("what cannot be shared or unshared is said in a line, and the chat goes on", async () => {
    using a = chat(alice, "bob", "--plain")
    await a.expect(/with bob@localhost/)
    a.enter("/share ~/")
    await a.expect(/Cannot share .*: your keys and messages lie there \[usage\]/)
    a.enter("/share ~/nothing")
    await a.expect(/Cannot read .*nothing: .*\[input\.unreadable\]/)
    a.enter("/unshare nothing")
    await a.expect(/Cannot stop sharing nothing: it is not shared \[store\.unknown\]/)
    a.enter("still here")
    await a.expect(/you.{0,8}: still here/)
    a.enter("/quit")
    assert.equal(await a.end(), 0)
  })

  test("/share in a group: members who are contacts get it; elsewhere it adds people; /unshare ends it for all of them", async () => {
    using a = chat(alice, "--plain")
    await a.expect(/online/)
    {
      using b = chat(bob, "--plain")
      await b.expect(/online/)
      b.enter("/group garden alice dave")
      await b.expect(/with garden: .*you \(owner\)/)
      b.enter("hello garden")
      await a.expect(/from bob@localhost: hello garden/)
      b.enter("/quit")
      assert.equal(await b.end(), 0)
    }
    a.enter("/to garden")
    await a.expect(/with garden: /)
    a.enter("/share ~/plan.txt")
    await a.expect(/shared as plan\.txt, but not with 1 here who are none of your contacts/)
    assert.deepEqual(await fetchedBy(bob, "plan.txt"), ["plan.txt"])
    assert.deepEqual(await fetchedBy(carol, "plan.txt"), ["file.refused"])
    a.enter("/to carol")
    await a.expect(/with carol@localhost/)
    a.enter("/share ~/plan.txt")
    await a.expect(/shared as plan\.txt\./)
    assert.deepEqual(await fetchedBy(carol, "plan.txt"), ["plan.txt"])
    assert.deepEqual(await seenBy(bob), ["plan.txt"])
    a.enter("/unshare ~/plan.txt")
    await a.expect(/plan\.txt is not shared any more/)
    for (const who of [bob, carol]) assert.deepEqual(await fetchedBy(who, "plan.txt"), ["file.refused"])
    a.enter("/quit")
    assert.equal(await a.end(), 0)
  })

  test("on the screen the same is said in the line at the bottom", async () => {
    using a = chat(alice, "bob")
    await a.expect(/● online/)
    a.type("/share ~/my\\ photos\r")
    await a.expect(/shared as my photos\./)
    assert.deepEqual(await fetchedBy(bob, "my photos/sea.jpg"), ["sea.jpg"])
    a.type("/unshare my photos\r")
    await a.expect(/my photos is not shared any more/)
    a.type("\u0011") // Ctrl-Q
    assert.equal(await a.end(), 0)
    assert.deepEqual((await alice.ok("files", "list")).shares, [])
  })
})
