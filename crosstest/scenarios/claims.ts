/** Claims beside their plain forms: references, expiry, hints, damaged and hostile texts. SPEC §2 to §4 and §6. */
import assert from "node:assert/strict"
import { formatTime } from "@kez/core"
import { keyNamed, sealedText } from "../../packages/core/test/support/keys.ts"
import { bothWays, type Direction, type Scenario, same } from "./scenario.ts"

const signer = keyNamed("crosstest scenarios")
const claimText = (more: object = {}) =>
  sealedText(
    "claim",
    {
      type: "kez.claim",
      version: 1,
      subject: "dns:a.example",
      primary: signer.key,
      created_at: "2026-01-01T00:00:00Z",
      ...more,
    },
    signer,
  )

/** The same verdict, from both, on a text that is not from either. */
function verdict(
  name: string,
  text: string | Uint8Array,
  expected: readonly [exit: number, reason: string | null],
): Scenario {
  return {
    name: `verify file: ${name}`,
    async run(world) {
      const { code, ok, data, error } = await same(world, ["verify", "file", "-", "--offline"], text)
      assert.deepEqual([code, ok ? data.reason : error?.code], expected)
    },
  }
}

async function reference({ maker, checker, show }: Direction): Promise<void> {
  await maker.data(["--identity", "alice", "sigchain", "add", "github:alice", "-q"])
  const document = (await maker.run(["--identity", "alice", "sigchain", "export", "-q"])).stdout
  const { text, chain } = await maker.data([
    "--identity",
    "alice",
    "claim",
    "create",
    "github:alice",
    "--format",
    "reference",
    "-q",
  ])
  show(text)
  assert.equal(text.trim(), `kez:r1:${chain.slice(7)}`)
  const path = checker.file("chain.jsonl", document)
  const [mine, theirs] = [
    await maker.json(["verify", "file", "-", "--offline"], text),
    await checker.json(["verify", "file", "-", "--offline", "--chain", path], text),
  ]
  // Which account it is for, only its place says: of a file it is nobody's.
  assert.deepEqual([theirs.code, theirs.data.reason], [mine.code, mine.data.reason])
  const unknown = await checker.json(["verify", "file", "-", "--offline"], text.replace(/[0-9a-f]{64}/, "0".repeat(64)))
  assert.deepEqual([unknown.code, unknown.data.status], [10, "invalid"])
}

async function expiring({ maker, checker }: Direction): Promise<void> {
  const made = await maker.data([
    "--identity",
    "alice",
    "claim",
    "create",
    "github:alice",
    "--expires",
    "2099-01-01",
    "--format",
    "json",
    "-q",
  ])
  const read = await checker.json(["verify", "file", "-", "--offline"], made.text)
  assert.equal(read.code, 0)
  assert.match(made.text, /"expires_at": ?"2099-01-01T00:00:00Z"/)
}

async function hinted({ maker, checker }: Direction): Promise<void> {
  const args = [
    "--identity",
    "alice",
    "claim",
    "create",
    "github:alice",
    "--chain-hint",
    "https://a.example/c.jsonl",
    "-q",
  ]
  const { text } = await maker.data(args)
  assert.match(text, /^Chain: https:\/\/a\.example\/c\.jsonl$/m)
  assert.equal(
    (await checker.json(["verify", "file", "-", "--offline"], text)).data.claim.primary.startsWith("ed25519:"),
    true,
  )
}

async function tampered({ maker, checker }: Direction): Promise<void> {
  const { text } = await maker.data(["--identity", "nora", "claim", "create", "github:alice", "--format", "json", "-q"])
  const read = await checker.json(["verify", "file", "-", "--offline"], text.replace("github:alice", "github:mallory"))
  assert.deepEqual([read.code, read.data.reason], [10, "signature.invalid"])
}

const weak = claimText().replaceAll(signer.key, `ed25519:01${"00".repeat(31)}`)
const fence = (text: string) => `\`\`\`kez\n${text}\n\`\`\`\n`

export const claims: readonly Scenario[] = [
  ...bothWays("reference form", reference),
  ...bothWays("claim that expires later", expiring),
  ...bothWays("claim with a hint at its chain", hinted),
  ...bothWays("changed claim is refused", tampered),
  verdict("a claim that expired", claimText({ expires_at: "2026-01-02T00:00:00Z" }), [12, "claim.expired"]),
  verdict("a claim from the future", claimText({ created_at: formatTime(Date.UTC(2400, 0) / 1_000) }), [
    10,
    "time.future",
  ]),
  verdict(
    "a claim in the spellings of v0.2",
    claimText({ subject: "mastodon:@Alice@Social.Example", created_at: "2026-01-01t00:00:00.5+00:00" }),
    [0, null],
  ),
  verdict("a system that this version does not know", claimText({ subject: "did:web:a.example" }), [
    5,
    "identity.unsupported",
  ]),
  verdict("a key of small order", weak, [10, "key.weak"]),
  verdict("an unknown member", claimText({ note: "x" }), [10, "schema.unknown_member"]),
  verdict("another version", claimText({ version: 2 }), [10, "envelope.version"]),
  verdict("a member twice", claimText().replace('"version":1', '"version":1,"version":1'), [10, "json.duplicate"]),
  verdict("a number in another spelling", claimText().replace('"version":1', '"version":1.0'), [10, "json.number"]),
  verdict("a byte order mark", `\ufeff${claimText()}`, [10, "text.bom"]),
  verdict("bytes that are not UTF-8", Buffer.concat([Buffer.from(claimText()), Buffer.of(0xff)]), [10, "text.utf8"]),
  verdict("no proof at all", "hello\n", [14, "proof.not_found"]),
  verdict("a fence that never closes", fence(claimText()).slice(0, -4), [10, "proof.cut"]),
  verdict("compact text of a kind that is not known", "kez:z9:AAAA", [10, "encoding.unsupported"]),
  verdict("compact text that is no zstd frame", "kez:z1:AAAA", [10, "zstd.frame"]),
  verdict("the same claim twice in a document", fence(claimText()).repeat(2), [0, null]),
]
