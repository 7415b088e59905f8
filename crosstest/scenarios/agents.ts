/** Keys that are kept unlocked: each tool with an agent of its own, alike in what it prints and where it ends. docs/json.md */
import assert from "node:assert/strict"
import { nostrWords24, people } from "./people.ts"
import { type Scenario, same, type World } from "./scenario.ts"
import type { Answer, Tool } from "./tool.ts"

const words = people.find(({ name }) => name === "alice")?.words ?? ""
const claim = ["--identity", "locked", "claim", "create", "dns:a.example", "--format", "json", "-q"]

/** An identity with a passphrase in a home of its own, and the file with that. */
async function lockedHome(tool: Tool, keyType = "ed25519") {
  const own = tool.fresh()
  const secret = ["--passphrase-file", own.file("passphrase", "correct horse battery staple\n")]
  await own.data(
    ["identity", "restore", "locked", "--mnemonic", "-", "--key-type", keyType, ...secret],
    keyType === "nostr" ? nostrWords24 : words,
  )
  const ask = (...args: readonly string[]) => own.json(args)
  return { own, secret, ask, unlock: (...more: readonly string[]) => ask("identity", "unlock", ...secret, ...more) }
}

type Locked = Awaited<ReturnType<typeof lockedHome>>

async function both(world: World, keyType: string, run: (homes: readonly Locked[]) => Promise<void>): Promise<void> {
  const homes = await Promise.all([world.typescript, world.rust].map((tool) => lockedHome(tool, keyType)))
  try {
    await run(homes)
  } finally {
    await Promise.all(homes.map(({ own }) => own.run(["identity", "lock"])))
  }
}

/** The same answer of both but for when it ends. */
async function alike(homes: readonly Locked[], ask: (home: Locked) => Promise<Answer>): Promise<Answer> {
  const answers = await Promise.all(homes.map(ask))
  const plain = answers.map(({ code, schema, ok, data, error }) => {
    const { unlocked_until: until, ...rest } = ok ? data : ({} as Answer["data"])
    return { code, schema, ok, error: error?.code, isUntil: typeof until, data: rest }
  })
  assert.deepEqual(plain[1], plain[0])
  const [first] = answers
  assert.ok(first)
  return first
}

const codeOf = (homes: readonly Locked[], ...args: readonly string[]) =>
  Promise.all(homes.map(({ ask }) => ask(...args))).then((answers) =>
    answers.map(({ code, error }) => [code, error?.code ?? null]),
  )

function signing(keyType: string): Scenario {
  return {
    name: `a key that is unlocked signs until it is locked, ${keyType}`,
    run: (world) =>
      both(world, keyType, async (homes) => {
        const locked = [4, "key.locked"]
        assert.deepEqual(await codeOf(homes, ...claim), [locked, locked])
        const { code, data } = await alike(homes, ({ unlock }) => unlock("--for", "1h"))
        const seconds = data.unlocked_until - Date.now() / 1000
        assert.ok(code === 0 && seconds > 3_000 && seconds <= 3_600, String(seconds))
        const [mine, theirs] = await Promise.all(homes.map(({ own }) => own.data(claim)))
        // What one signed through its agent the other takes.
        await Promise.all(
          [mine, theirs].map((made) => same(world, ["verify", "file", "-", "--offline"], made?.text ?? "")),
        )
        assert.equal(mine?.primary, theirs?.primary)
        for (const { own } of homes) {
          await own.data(["--identity", "locked", "sigchain", "add", "dns:a.example", "-q"])
          const { identities } = await own.data(["identity", "list"])
          assert.ok((identities[0]?.unlocked_until ?? 0) >= Math.floor(data.unlocked_until) - 60)
        }
        const settle = ["--identity", "locked", "sigchain", "settle", "--lift", `sha256:${"0".repeat(64)}`]
        const usage = [2, "usage"]
        assert.deepEqual(await codeOf(homes, ...settle), [usage, usage], "only what is listed is lifted")
        const shown = ["identity", "mnemonic", "locked", "--reveal-words"]
        assert.deepEqual(await codeOf(homes, ...shown), [locked, locked], "words need the passphrase")
        const other = await alike(homes, ({ ask }) => ask("--identity", "nobody", "identity", "lock"))
        assert.deepEqual([other.code, other.data.locked], [0, []], "another name is locked, not all")
        const again = await alike(homes, ({ ask }) => ask("--identity", "locked", "identity", "lock"))
        assert.deepEqual([again.code, again.data.locked], [0, ["locked"]])
        assert.deepEqual((await alike(homes, ({ ask }) => ask("identity", "lock"))).data.locked, [])
        assert.deepEqual(await codeOf(homes, ...claim), [locked, locked])
      }),
  }
}

const refusals: Scenario = {
  name: "unlock and lock refuse alike",
  run: (world) =>
    both(world, "ed25519", async (homes) => {
      const is = async (expected: readonly unknown[], ...args: readonly string[]) =>
        assert.deepEqual(await codeOf(homes, ...args), [expected, expected], args.join(" "))
      await is([4, "key.locked"], "identity", "unlock")
      await is([1, "store.unknown"], "identity", "unlock", "nobody")
      await is([0, null], "identity", "lock", "nobody")
      for (const time of ["30d", "0s", "soon", ""]) {
        const answers = await Promise.all(homes.map(({ unlock }) => unlock("--for", time)))
        assert.deepEqual(
          answers.map(({ code, error }) => [code, error?.code]),
          [
            [2, "usage"],
            [2, "usage"],
          ],
          time,
        )
      }
      const wrong = await Promise.all(
        homes.map(({ own }) => own.json(["identity", "unlock", "--passphrase-file", own.file("wrong", "wrong\n")])),
      )
      assert.deepEqual(
        wrong.map(({ code, error }) => [code, error?.code]),
        [
          [4, "key.unlock"],
          [4, "key.unlock"],
        ],
      )
    }),
}

const apart: Scenario = {
  name: "in one home each tool asks its own agent alone",
  run: (world) =>
    both(world, "ed25519", async ([home]) => {
      assert.ok(home)
      const other = world.rust.sharing(home.own)
      assert.equal((await home.unlock()).code, 0)
      assert.deepEqual(await other.json(claim).then(({ code, error }) => [code, error?.code]), [4, "key.locked"])
      try {
        assert.equal((await other.json(["identity", "unlock", ...home.secret])).code, 0)
        assert.deepEqual((await home.own.data(["identity", "lock"])).locked, ["locked"])
        assert.equal((await other.json(claim)).code, 0)
      } finally {
        await other.run(["identity", "lock"])
      }
    }),
}

const restored: Scenario = {
  name: "restore of an identity that is here: a new passphrase for the same key, else store.exists",
  run: (world) =>
    both(world, "ed25519", async (homes) => {
      const restore = async (name: readonly string[], text: string) => {
        const args = ["identity", "restore", ...name, "--mnemonic", "-"]
        const answers = await Promise.all(homes.map(({ own, secret }) => own.json([...args, ...secret], text)))
        const codes = answers.map(({ code, error }) => [code, error?.code ?? null])
        assert.deepEqual(codes[1], codes[0])
        return codes[0]
      }
      assert.deepEqual(await restore(["locked"], words), [0, null])
      assert.deepEqual(await restore([], words), [0, null])
      assert.deepEqual(await restore(["second"], words), [1, "store.exists"])
      assert.deepEqual(await restore(["locked"], people.find(({ name }) => name === "phone")?.words ?? ""), [
        1,
        "store.exists",
      ])
    }),
}

export const agents: readonly Scenario[] = [signing("ed25519"), signing("nostr"), refusals, apart, restored]
