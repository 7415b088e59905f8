/** Commands that both refuse: with the same exit code, the same schema and the same code. */
import assert from "node:assert/strict"
import { type Scenario, same } from "./scenario.ts"

type Refusal = readonly [name: string, args: readonly string[], exit: number, code: string, input?: string]

const digest = `sha256:${"ab".repeat(32)}`

const refusals: readonly Refusal[] = [
  ["a command that does not exist", ["claims"], 2, "usage"],
  ["an option that does not exist", ["claim", "create", "github:a", "--now"], 2, "usage"],
  ["a subject without a system", ["claim", "create", "alice"], 2, "identity.syntax"],
  ["a subject that does not fit its system", ["claim", "create", "github:-a-"], 2, "identity.syntax"],
  ["a system that this version does not know", ["claim", "create", "did:web:a.example"], 2, "identity.unsupported"],
  ["a domain in letters that are not ASCII", ["claim", "create", "dns:bücher.example"], 2, "identity.charset"],
  ["a form that does not exist", ["claim", "create", "github:a", "--format", "xml"], 2, "usage"],
  ["the DNS form for another system", ["claim", "create", "github:a", "--format", "dns"], 2, "usage"],
  ["an expiry in the past", ["claim", "create", "github:a", "--expires", "2020-01-01"], 2, "usage"],
  ["an identity that is not here", ["--identity", "nobody", "claim", "create", "github:a"], 1, "store.unknown"],
  ["a file that is not here", ["verify", "file", "missing.md", "--offline"], 1, "input.unreadable"],
  ["a chain that is not known", ["sigchain", "show", digest], 1, "chain.unknown"],
  ["an export of nothing", ["sigchain", "export", digest], 1, "chain.unknown"],
  ["a head without a chain", ["sigchain", "head"], 1, "chain.unknown"],
  ["a commitment where nobody can be asked", ["sigchain", "set-next", "laptop"], 2, "input.missing"],
  ["a rotation without a chain", ["sigchain", "rotate", "laptop", "--yes"], 1, "chain.unknown"],
  [
    "a name that is taken",
    ["identity", "restore", "alice", "--mnemonic", "-", "--no-passphrase"],
    1,
    "store.exists",
    `${"abandon ".repeat(11)}about`,
  ],
  ["a revocation of a device that is none", ["sigchain", "revoke-device", "laptop"], 2, "usage"],
  ["an import of what is no chain", ["sigchain", "import", "-"], 10, "chain.jsonl", "hello\n"],
]

export const refused: readonly Scenario[] = refusals.map(([name, args, exit, code, input]) => ({
  name: `refused alike: ${name}`,
  async run(world) {
    const answer = await same(world, args, input)
    assert.deepEqual([answer.code, answer.schema, answer.error?.code], [exit, "kez.error/1", code])
  },
}))
