/** `kez files`: shared, looked through, fetched, and not given any more, between people over real servers and the real kez-iroh. */
import assert from "node:assert/strict"
import { randomBytes } from "node:crypto"
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { after, before, describe, test } from "node:test"
import { skipWithoutNats } from "../support/broker.ts"
import { type Chatter, makeFriend, startCouple } from "../support/chat-people.ts"
import { buildIroh, folderOf, type RunningKez, startKez } from "../support/files-people.ts"
import { skipWithoutIroh } from "../support/iroh.ts"
import { laterCleaner } from "../support/person.ts"

const timeoutMs = 50_000

describe("shared files with the kez command", { skip: skipWithoutNats || skipWithoutIroh() }, () => {
  const t = laterCleaner(after)
  const film = randomBytes(2_000_000)
  let alice: Chatter
  let bob: Chatter
  let carol: Chatter
  let photos: string
  let env: { readonly KEZ_IROH: string }

  const ask = (who: Chatter, ...args: readonly string[]) => who.json(args, { env, timeoutMs })
  const serve = async (): Promise<RunningKez> => {
    const serving = startKez(t, alice, { args: ["files", "serve"], env })
    await serving.until(({ data }) => data.event === "ready")
    return serving
  }
  const end = ({ child }: RunningKez): Promise<void> =>
    new Promise((resolve) => {
      child.once("exit", () => resolve())
      child.kill("SIGINT")
    })

  before(async () => {
    env = await buildIroh()
    const couple = await startCouple(t)
    ;({ alice, bob } = couple)
    carol = await makeFriend(t, couple, "carol")
    photos = folderOf(alice, "photos")
    mkdirSync(join(photos, "2024"))
    writeFileSync(join(photos, "one.jpg"), "1")
    writeFileSync(join(photos, "2024", "film.mp4"), film)
  })

  test("shared with Bob: listed here, and the chain names the list", async () => {
    const shared = await ask(alice, "files", "share", photos, "--with", "bob")
    assert.equal(shared.code, 0, JSON.stringify(shared))
    assert.deepEqual([shared.data.manifest.seq, shared.data.manifest.in_chain, shared.warnings], [0, true, []])
    const [share] = (await ask(alice, "files", "list")).data.shares
    assert.deepEqual([share.name, share.files, share.with[0].name], ["photos", 2, "bob@localhost"])
  })

  test("the folder with the keys is not shared, nor one around it", async () => {
    for (const path of [alice.dir, alice.home, join(alice.home, "accounts")]) {
      const refused = await ask(alice, "files", "share", path, "--everyone")
      assert.deepEqual([refused.code, refused.error.code], [2, "usage"], path)
    }
  })

  test("Bob sees what Alice shares while she serves, and fetches a folder of it; Carol sees nothing", async () => {
    const serving = await serve()
    const seen = await ask(bob, "files", "browse", "alice", "--wait", "40")
    assert.equal(seen.code, 0, JSON.stringify(seen))
    assert.equal(seen.data.is_there, true)
    assert.deepEqual(
      seen.data.files.map(({ path, size, media_type }: Record<string, unknown>) => [path, size, media_type]),
      [
        ["photos/2024/film.mp4", film.length, "video/mp4"],
        ["photos/one.jpg", 1, "image/jpeg"],
      ],
    )
    assert.equal(seen.data.lists[0].in_chain, true)
    const into = folderOf(bob, "in")
    mkdirSync(join(into, "2024"))
    const got = await bob.kez(
      ["files", "get", "alice", "photos/2024", "photos/one.jpg", "--to", into, "--wait", "40"],
      {
        ...{ env, timeoutMs },
      },
    )
    assert.equal(got.code, 0, got.stderr + got.stdout)
    assert.match(got.stdout, /✓ .*2024 \(2\), 2\.0 MB/)
    assert.deepEqual(readFileSync(join(into, "2024 (2)", "film.mp4")), film)
    assert.equal(readFileSync(join(into, "one.jpg"), "utf8"), "1")
    assert.deepEqual(readdirSync(join(into, "2024")), [])
    const carols = await ask(carol, "files", "browse", "alice", "--wait", "40")
    assert.deepEqual([carols.code, carols.data.is_there, carols.data.files], [0, true, []])
    const refused = await ask(
      carol,
      "files",
      "get",
      "alice",
      "photos/one.jpg",
      "--to",
      folderOf(carol, "in"),
      "--wait",
      "40",
    )
    assert.deepEqual([refused.code, refused.error.code], [5, "file.refused"])
    await end(serving)
  })

  test("while Alice is away, what was seen last is shown with its age", async () => {
    const seen = await bob.kez(["files", "browse", "alice", "--offline"], { env, timeoutMs })
    assert.equal(seen.code, 0, seen.stderr)
    assert.match(seen.stdout, /alice@localhost is not there now: this is what was seen last/)
    assert.match(seen.stdout, /photos\/one\.jpg +1 bytes +image\/jpeg/)
    assert.match(seen.stdout, /list 0, signed, named in the chain, told \d+ \w+ ago/)
  })

  test("while kez chat is open, what is shared is given", async () => {
    const chatting = startKez(t, alice, { args: ["chat"], env, keepsStdin: true })
    const into = folderOf(bob, "in2")
    const got = await bob.kez(["files", "get", "alice", "photos", "--to", into, "--wait", "40"], { env, timeoutMs })
    assert.equal(got.code, 0, got.stderr + got.stdout)
    assert.deepEqual(readFileSync(join(into, "photos", "2024", "film.mp4")), film)
    await end(chatting)
  })

  test("unshared: Bob gets nothing any more, and his list says so", async () => {
    assert.equal((await ask(alice, "files", "unshare", photos)).code, 0)
    const serving = await serve()
    const refused = await ask(
      bob,
      "files",
      "get",
      "alice",
      "photos/one.jpg",
      "--to",
      folderOf(bob, "in3"),
      "--wait",
      "40",
    )
    assert.deepEqual([refused.code, refused.error?.code], [5, "file.refused"], JSON.stringify(refused))
    assert.deepEqual(readdirSync(folderOf(bob, "in3")), [])
    const seen = await ask(bob, "files", "browse", "alice", "--wait", "40")
    assert.deepEqual([seen.data.lists[0].seq, seen.data.files], [1, []])
    await end(serving)
  })
})
