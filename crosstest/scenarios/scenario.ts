/** What a scenario is, and what two answers of two tools must have in common. */
import assert from "node:assert/strict"
import type { Peer } from "../peer.ts"
import type { Answer, Tool } from "./tool.ts"

export interface World {
  readonly typescript: Tool
  readonly rust: Tool
  /** The processes that answer lines. */
  readonly peers: readonly [Peer, Peer]
  /** Proofs and documents, shown with `-v`. */
  show(text: string): void
}

export interface Scenario {
  readonly name: string
  /** What it needs and is not on this machine. */
  readonly missing?: string
  run(world: World): Promise<void>
}

/** Who makes something, and who has to accept it. */
export interface Direction {
  readonly maker: Tool
  readonly checker: Tool
  readonly show: World["show"]
}

/** The same scenario in both directions: TypeScript makes and Rust checks, then the reverse. */
export function bothWays(name: string, run: (direction: Direction) => Promise<void>): readonly Scenario[] {
  return [
    {
      name: `${name}: made by TypeScript, checked by Rust`,
      run: ({ typescript, rust, show }) => run({ maker: typescript, checker: rust, show }),
    },
    {
      name: `${name}: made by Rust, checked by TypeScript`,
      run: ({ typescript, rust, show }) => run({ maker: rust, checker: typescript, show }),
    },
  ]
}

/** Members that say when and where something was done, or in words what codes say: no two runs share them. */
const own = new Set([
  "checked_at",
  "fetched_at",
  "created_at",
  "key_file",
  "file",
  "message",
  "hint",
  "warnings",
  "note",
  "source",
  "made_here",
  "retry_after_seconds",
])

/** An answer without what is a tool's own. Members keep their names, so that a missing one shows. */
export function comparable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(comparable)
  if (typeof value !== "object" || value === null) return value
  const entries = Object.entries(value).filter(([name]) => !optional.has(name))
  return Object.fromEntries(entries.map(([name, member]) => [name, own.has(name) ? "…" : comparable(member)]))
}

/** Those that docs/json.md marks with `?`. */
const optional = new Set(["hint", "note"])

/** The same command to both: the same exit code, schema and data. Returns TypeScript's answer. */
export async function same(
  { typescript, rust }: Pick<World, "typescript" | "rust">,
  args: readonly string[],
  input?: string | Uint8Array,
): Promise<Answer> {
  const [mine, theirs] = await Promise.all([typescript.json(args, input), rust.json(args, input)])
  assert.deepEqual(comparable(theirs), comparable(mine), `kez ${args.join(" ")}`)
  return mine
}
