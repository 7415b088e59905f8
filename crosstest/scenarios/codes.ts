/** Every code of SPEC §12 that a command line can be brought to alone: both tools, the same code and the same exit code. */
import assert from "node:assert/strict"
import { chmodSync, readdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { chainTexts, claim, costlyKeyFile, fence, history, otherKey, texts } from "./code-inputs.ts"
import { nostrWords24, people } from "./people.ts"
import type { Scenario } from "./scenario.ts"
import type { Answer, Tool } from "./tool.ts"

interface Case {
  readonly code: string
  readonly exit: number
  /** What is asked; files are written where the tool is. */
  readonly ask: (tool: Tool) => Promise<Answer>
}

const words = people.find(({ name }) => name === "alice")?.words ?? ""
const digest = `sha256:${"ab".repeat(32)}`

const verify =
  (text: string | Uint8Array, ...more: readonly string[]) =>
  (tool: Tool) =>
    tool.json(["verify", "file", "-", "--offline", ...more], text)

/** With chain documents beside the claim. */
const withChains =
  (documents: readonly string[], ...more: readonly string[]) =>
  (tool: Tool) => {
    const files = documents.map((document, i) => ["--chain", tool.file(`chain${i}.jsonl`, document)])
    return verify(history.claim, ...files.flat(), ...more)(tool)
  }

const run = (args: readonly string[], input?: string) => (tool: Tool) => tool.json(args, input)

/** What verdicts end with, by their code; any other is 10. */
const exits: Readonly<Record<string, number>> = {
  "proof.not_found": 14,
  "claim.expired": 12,
  "chain.unreachable": 5,
  "identity.unsupported": 5,
}

const verdicts: readonly Case[] = [
  ...Object.entries(texts).map(([code, text]) => ({ code, exit: exits[code] ?? 10, ask: verify(text) })),
  { code: "proof.primary_mismatch", exit: 10, ask: verify(claim(), "--primary", otherKey) },
  { code: "chain.required", exit: 5, ask: verify(claim(), "--require-chain") },
  { code: "claim.revoked", exit: 11, ask: withChains([history.revoked]) },
  { code: "chain.fork", exit: 13, ask: withChains(history.forked) },
  { code: "chain.stale", exit: 5, ask: withChains([history.listed], "--fresh") },
  {
    code: "chain.withheld",
    exit: 5,
    async ask(tool) {
      await tool.json(["sigchain", "import", "-"], history.listed)
      await tool.json(["sigchain", "import", "-"], history.newerHead)
      return verify(history.claim)(tool)
    },
  },
]

const imports: readonly Case[] = [
  ...Object.entries(chainTexts).map(([code, text]) => ({
    code,
    exit: -1,
    ask: run(["sigchain", "import", "-"], text),
  })),
]

const restore = (name: string, ...more: readonly string[]) => ["identity", "restore", name, "--mnemonic", "-", ...more]

async function locked(tool: Tool): Promise<readonly string[]> {
  const secret = tool.file("passphrase", "correct horse battery staple\n")
  await tool.data([...restore("locked"), "--passphrase-file", secret], nostrWords24)
  return ["--identity", "locked", "claim", "create", "github:a"]
}

/** The key files of the people. */
function keyFiles(tool: Tool): readonly string[] {
  const folder = join(tool.home, "kez", "keys")
  return readdirSync(folder)
    .filter((name) => name.startsWith("alice"))
    .map((name) => join(folder, name))
}

const commands: readonly Case[] = [
  { code: "usage", exit: 2, ask: run(["claims"]) },
  { code: "identity.syntax", exit: 2, ask: run(["claim", "create", "alice"]) },
  { code: "identity.unsupported", exit: 2, ask: run(["claim", "create", "did:web:a.example"]) },
  { code: "identity.charset", exit: 2, ask: run(["claim", "create", "dns:bücher.example"]) },
  { code: "limit.size", exit: 10, ask: run(["claim", "create", `dns:${"a".repeat(300)}.example`]) },
  { code: "key.encoding", exit: 2, ask: run(["verify", "id", "ed25519:AB"]) },
  { code: "channel.unsupported", exit: 2, ask: run(["verify", "id", otherKey]) },
  { code: "mnemonic.length", exit: 2, ask: run(restore("new", "--no-passphrase"), "legal winner") },
  { code: "mnemonic.word", exit: 2, ask: run(restore("new", "--no-passphrase"), words.replace("year", "jahr")) },
  { code: "mnemonic.checksum", exit: 2, ask: run(restore("new", "--no-passphrase"), words.replace("yellow", "zoo")) },
  { code: "store.exists", exit: 1, ask: run(restore("alice", "--no-passphrase"), nostrWords24) },
  { code: "store.unknown", exit: 1, ask: run(["--identity", "nobody", "claim", "create", "github:a"]) },
  { code: "input.missing", exit: 2, ask: run(["identity", "restore", "new", "--no-passphrase"]) },
  { code: "input.unreadable", exit: 1, ask: run(["verify", "file", "missing.md", "--offline"]) },
  { code: "chain.unknown", exit: 1, ask: run(["sigchain", "show", digest]) },
  {
    code: "proof.subject_mismatch",
    exit: 10,
    ask: (tool) =>
      tool.json(["--identity", "alice", "sigchain", "add", "github:a", "--proof", tool.file("claim.json", claim())]),
  },
  {
    code: "proof.ambiguous",
    exit: 10,
    ask: (tool) => {
      const two = tool.file("two.md", fence(claim()) + fence(claim({ created_at: "2026-01-02T00:00:00Z" })))
      return tool.json(["--identity", "alice", "sigchain", "add", "dns:a.example", "--proof", two])
    },
  },
  { code: "key.locked", exit: 4, ask: async (tool) => tool.json(await locked(tool)) },
  {
    code: "key.unlock",
    exit: 4,
    ask: async (tool) => tool.json([...(await locked(tool)), "--passphrase-file", tool.file("wrong", "wrong\n")]),
  },
  {
    code: "limit.work",
    exit: 4,
    ask: (tool) =>
      tool.json([
        "claim",
        "create",
        "github:a",
        "--key-file",
        tool.file("costly.age", costlyKeyFile),
        "--passphrase-file",
        tool.file("passphrase", "x\n"),
      ]),
  },
  {
    code: "store.permissions",
    exit: 1,
    ask: (tool) => {
      for (const file of keyFiles(tool)) chmodSync(file, 0o644)
      return tool.json(["--identity", "alice", "claim", "create", "github:a"])
    },
  },
  {
    code: "store.corrupt",
    exit: 1,
    ask: (tool) => {
      writeFileSync(join(tool.home, "kez", "identities", "alice.json"), "no record\n")
      return tool.json(["identity", "show", "alice"])
    },
  },
]

/** The one code of an answer: of its error, its verdict, or the first thing that it refused. */
function codeOf({ error, data }: Answer): string | null | undefined {
  if (error !== undefined) return error.code
  return data.reason ?? data.refused?.[0]?.code
}

function scenarioOf(group: string, { code, exit, ask }: Case): Scenario {
  return {
    name: `code ${code}, ${group}`,
    async run({ typescript, rust }) {
      const answers = await Promise.all([ask(typescript), ask(rust)])
      const [mine, theirs] = answers.map((answer) => [answer.code, answer.schema, answer.ok, codeOf(answer)])
      assert.deepEqual(theirs, mine)
      assert.equal(mine?.[3], code)
      if (exit >= 0) assert.equal(mine?.[0], exit)
    },
  }
}

/** A head is kept for what may come, and counts for nothing until its signer may speak. HEAD-1 */
const heads: Scenario = {
  name: "heads by a stranger, that are over, and of the future are kept and do not count",
  async run({ typescript, rust }) {
    for (const tool of [typescript, rust]) {
      await tool.data(["sigchain", "import", "-"], history.listed)
      for (const text of [history.strangerHead, history.oldHead, history.futureHead]) {
        assert.equal((await tool.json(["sigchain", "import", "-"], text)).code, 0)
        const { code, data } = await verify(history.claim, "--fresh")(tool)
        assert.deepEqual([code, data.reason], [5, "chain.stale"], tool.name)
      }
    }
  },
}

export const codes: readonly Scenario[] = [
  ...verdicts.map((one) => scenarioOf("a verdict", one)),
  ...imports.map((one) => scenarioOf("an import", one)),
  ...commands.map((one) => scenarioOf("a command", one)),
  heads,
]

/** The codes that these scenarios reach. */
export const reachedCodes: ReadonlySet<string> = new Set([...verdicts, ...imports, ...commands].map(({ code }) => code))

/**
 * Codes that no command line alone is brought to: they come from places, from servers and parts that one of the two does not have, from
 * the state of a machine, or from a person at a terminal. Their exit codes are docs/exit-codes.json; what leads to those of SPEC is in vectors/.
 */
export const unreachedCodes: readonly RegExp[] = [
  /^(?:account|net|publish|auth|broker|chat|handle|directory|file)\./,
  /^(?:channel\.down|limit\.(?:body|entries)|chain\.rollback)$/,
  // A head is kept; only its use says so, as evidence.
  /^head\./,
  /^(?:json\.not_plain|zstd\.not_ready|internal)$/,
  /^(?:store\.(?:newer|busy|write|full)|key\.not_held|input\.(?:cancelled|recall))$/,
]
