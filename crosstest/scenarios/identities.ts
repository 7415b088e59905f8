/** Identities and recovery words: the same from the same words, refused with the same codes. SPEC §1 and §9. */
import assert from "node:assert/strict"
import { keyOfSecret } from "@kez/core"
import { nostrWords24, people } from "./people.ts"
import { type Scenario, same, type World } from "./scenario.ts"

const paper = people.find(({ name }) => name === "paper")?.words ?? ""
const alice = people.find(({ name }) => name === "alice")?.words ?? ""
const zero = "ed25519:3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29"

function fromWords(name: string, words: string, args: readonly string[], expected: object): Scenario {
  return {
    name,
    async run(world) {
      const answer = await same(world, ["identity", "from-mnemonic", "--mnemonic", "-", ...args], words)
      const said = answer.ok
        ? { identity: answer.data.identity, count: answer.data.words }
        : { code: answer.error?.code }
      assert.deepEqual({ exit: answer.code, ...said }, expected)
    },
  }
}

function shown(name: string): Scenario {
  return {
    name: `identity show is the same for ${name}, restored in both`,
    async run(world: World) {
      const answer = await same(world, ["identity", "show", name])
      const [mine, theirs] = await Promise.all(
        [world.typescript, world.rust].map((tool) => tool.run(["identity", "show", name, "--id"])),
      )
      assert.equal(mine?.stdout, `${answer.data.identity}\n`)
      assert.equal(theirs?.stdout, mine?.stdout)
    },
  }
}

const secretOfAlice = "9df434a2bd5dc767ee949d8ab95ca09c4ebbb88cefc3d0b1523f6b2a744ca824"
const nostrOfAlice = keyOfSecret("nostr", Buffer.from(secretOfAlice, "hex"))

export const identities: readonly Scenario[] = [
  fromWords("24 words are the ed25519 seed", paper, [], { exit: 0, identity: zero, count: 24 }),
  fromWords("12 words and a nostr key", alice, ["--key-type", "nostr"], { exit: 0, identity: nostrOfAlice, count: 12 }),
  fromWords("24 words as typed: upper case, tabs, two lines", paper.toUpperCase().replaceAll(" ", " \t\n"), [], {
    exit: 0,
    identity: zero,
    count: 24,
  }),
  fromWords("24 words whose nostr key is out of range are refused", paper, ["--key-type", "nostr"], {
    exit: 2,
    code: "key.encoding",
  }),
  fromWords("a word that is not in the list", alice.replace("year", "jahr"), [], { exit: 2, code: "mnemonic.word" }),
  fromWords("words that do not fit together", alice.replace("yellow", "zoo"), [], {
    exit: 2,
    code: "mnemonic.checksum",
  }),
  fromWords("11 words", alice.replace("legal ", ""), [], { exit: 2, code: "mnemonic.length" }),
  {
    name: "24 words and a nostr key are the same in both",
    async run(world) {
      const { data } = await same(
        world,
        ["identity", "from-mnemonic", "--mnemonic", "-", "--key-type", "nostr"],
        nostrWords24,
      )
      assert.match(data.identity, /^nostr:npub1/)
    },
  },
  {
    name: "restore --expect of another identity is refused",
    async run(world) {
      const { code, error } = await same(
        world,
        ["identity", "restore", "other", "--mnemonic", "-", "--no-passphrase", "--expect", zero],
        alice,
      )
      assert.notEqual(code, 0)
      assert.notEqual(error, undefined)
    },
  },
  shown("alice"),
  shown("nora"),
  { name: "identity list is the same", run: async (world) => void (await same(world, ["identity", "list"])) },
]
