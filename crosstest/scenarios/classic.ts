/** Scenarios 1 to 19: claims and chains of both key types, in every form, in both directions. */
import assert from "node:assert/strict"
import { bothWays, type Direction, type Scenario, type World } from "./scenario.ts"
import type { Data, Tool } from "./tool.ts"

export const subjects = {
  json: "github:alice",
  compact: "ap:alice@social.example",
  markdown: "bluesky:alice.example",
  dns: "dns:a.example",
} as const
type Form = keyof typeof subjects

async function claimCheck({ maker, checker, show }: Direction, who: string, form: Form): Promise<void> {
  const subject = subjects[form]
  const made = await maker.data(["--identity", who, "claim", "create", subject, "--format", form, "-q"])
  show(made.text)
  assert.equal(made.subject, subject)
  const read = await checker.json(["verify", "file", "-", "--offline"], made.text)
  assert.deepEqual([read.code, read.data.status, read.data.reason], [0, "valid", null])
  const { digest, primary, created_at } = read.data.claim
  assert.deepEqual([digest, primary, created_at], [made.digest, made.primary, made.created_at])
  assert.deepEqual([...read.data.flags].sort(), ["no_chain", "unpublished"])
}

const names: Readonly<Record<Form, string>> = {
  json: "JSON claim",
  compact: "compact claim",
  markdown: "Markdown claim",
  dns: "DNS zone line",
}

function claims(who: string, keyType: string, forms: readonly Form[]): readonly Scenario[] {
  return forms.flatMap((form) => bothWays(`${keyType} ${names[form]}`, (direction) => claimCheck(direction, who, form)))
}

/** A chain of three events by one key: two accounts, one of them revoked again. */
export async function buildChain(maker: Tool, who: string): Promise<string> {
  for (const [op, subject] of [
    ["add", "github:alice"],
    ["add", "dns:a.example"],
    ["revoke", "github:alice"],
  ] as const) {
    await maker.data(["--identity", who, "sigchain", op, subject, "-q"])
  }
  return (await maker.run(["--identity", who, "sigchain", "export", "-q"])).stdout
}

/** The maker's chain is read and shown by the checker, just as the maker shows it. */
export async function chainCheck({ maker, checker, show }: Direction, who: string): Promise<void> {
  const document = await buildChain(maker, who)
  show(document)
  const imported = await checker.data(["sigchain", "import", "-"], document)
  assert.deepEqual([imported.read, imported.added, imported.refused], [3, 3, []])
  const mine = await maker.data(["--identity", who, "sigchain", "show"])
  const theirs = await checker.data(["sigchain", "show", imported.chain])
  // A signed head for its end is only where the chain was made.
  const without = ({ head, ...rest }: Data) => ({ ...rest, head: [head.seq, head.digest] })
  assert.deepEqual(without(theirs), without(mine))
  assert.deepEqual(theirs.subjects.map(({ status }) => status).sort(), ["active", "revoked"])
}

async function identicalExports({ typescript, rust, show }: World): Promise<void> {
  const document = await buildChain(rust, "nora")
  const { chain } = await typescript.data(["sigchain", "import", "-"], document)
  const exported = await typescript.run(["sigchain", "export", chain, "-q"])
  show(exported.stdout)
  assert.equal(exported.stdout, document)
  assert.equal(exported.stdout.split("\n").length, 4)
}

export const classic: readonly Scenario[] = [
  ...claims("nora", "nostr-signed", ["json", "compact", "markdown", "dns"]),
  ...claims("alice", "ed25519-signed", ["json", "compact", "markdown"]),
  {
    name: "Rust builds a nostr chain of 3 events, TypeScript parses and shows it",
    run: ({ typescript, rust, show }) => chainCheck({ maker: rust, checker: typescript, show }, "nora"),
  },
  { name: "both export byte-identical JSONL", run: identicalExports },
  {
    name: "TypeScript builds a nostr chain of 3 events, Rust parses and shows it",
    run: ({ typescript, rust, show }) => chainCheck({ maker: typescript, checker: rust, show }, "nora"),
  },
  ...bothWays("ed25519 chain of 3 events", (direction) => chainCheck(direction, "alice")),
]
