/** Verdicts in words: a glyph and a word for each state, the reason, and no text of a stranger that a terminal would obey. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { codes, type Verdict } from "@kez/core"
import { flagText, reasonText } from "../src/reason-text.ts"
import { verdictJson } from "../src/verdict-json.ts"
import { exitCodeOfVerdict, nextStep, verdictText } from "../src/verdict-text.ts"

const key = `ed25519:9f2c${"a".repeat(56)}d3e1`

function verdictOf(changes: Partial<Verdict>): Verdict {
  return {
    status: "valid",
    reason: undefined,
    subject: "dns:example.org",
    primary: key,
    claim: undefined,
    chain: undefined,
    flags: [],
    evidence: [],
    mark: undefined,
    checkedAt: 1_767_225_600,
    retryAfterSeconds: undefined,
    ...changes,
  }
}

function textOf(changes: Partial<Verdict>): string {
  return verdictText({ verdict: verdictOf(changes), lastProven: undefined }, false)
}

const states = [
  [{}, "✓ dns:example.org  proven  by ed25519:9f2caaaa…d3e1", 0],
  [{ flags: ["unpublished"] }, "✓ dns:example.org  signature right  by ed25519:9f2caaaa…d3e1", 0],
  [{ status: "revoked", reason: "claim.revoked" }, "⊘ dns:example.org  revoked by owner  by ed25519:9f2caaaa…d3e1", 11],
  [{ status: "expired", reason: "claim.expired" }, "⌛ dns:example.org  expired  by ed25519:9f2caaaa…d3e1", 12],
  [{ status: "unreachable", reason: "net.timeout" }, "◌ dns:example.org  can't reach  by ed25519:9f2caaaa…d3e1", 5],
  [{ status: "fork", reason: "chain.fork" }, "⑂ dns:example.org  conflicting history  by ed25519:9f2caaaa…d3e1", 13],
  [{ status: "invalid", reason: "signature.invalid" }, "✕ dns:example.org  invalid  by ed25519:9f2caaaa…d3e1", 10],
  [{ status: "invalid", reason: "proof.not_found", primary: undefined }, "✕ dns:example.org  not found", 14],
] as const satisfies ReadonlyArray<readonly [Partial<Verdict>, string, number]>

for (const [changes, line, exitCode] of states) {
  test(`verdictText() begins with "${line.slice(0, 40)}…" and the exit code is ${exitCode}`, () => {
    assert.equal(textOf(changes).split("\n")[0], line)
    assert.equal(exitCodeOfVerdict(verdictOf(changes)), exitCode)
  })
}

test("verdictText() gives the reason in words with its code, and every flag in words", () => {
  const text = textOf({ status: "revoked", reason: "claim.revoked", flags: ["no_chain", "stale"] })
  assert.match(text, /reason {2}The owner of the key has revoked this account\. \[claim\.revoked\]/)
  assert.match(text, /not checked for revocation: no chain known/)
  assert.match(text, /no signed head confirms/)
})

test("verdictText() escapes what strangers wrote", () => {
  const text = textOf({
    subject: "web:a\u001b[2Jb\u202e",
    evidence: [{ kind: "place", source: "dns:x\u0007", note: "\u001b]0;title\u0007\nfalse line" }],
  })
  assert.doesNotMatch(text, /[^\n\P{Cc}]|\u202e/u)
  assert.doesNotMatch(text, /^false line/m)
})

test("verdictText() says when an account was last proven, and warns of another key", () => {
  const lastProven = { subject: "dns:example.org", primary: key, chain: undefined, accountId: undefined, provenAt: 0 }
  const down = verdictOf({ status: "unreachable", reason: "net.timeout", primary: undefined })
  assert.match(verdictText({ verdict: down, lastProven }, false), /last proven {2}1970-01-01 00:00:00 UTC$/m)
  const other = verdictOf({ primary: key.replace("9f2c", "0000") })
  assert.match(verdictText({ verdict: other, lastProven }, false), /last proven {2}.* by another key: ed25519:9f2c/)
  assert.doesNotMatch(verdictText({ verdict: verdictOf({}), lastProven }, false), /last proven/)
})

test("verdictText() never means anything by colour alone", () => {
  for (const [changes] of states) {
    const answer = { verdict: verdictOf(changes), lastProven: undefined }
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are what it takes away
    assert.equal(verdictText(answer, true).replaceAll(/\u001b\[[0-9;]*m/g, ""), verdictText(answer, false))
  }
})

test("reasonText() and flagText() have words for everything", () => {
  for (const code of codes) assert.match(reasonText(code), /^[A-Z].*[.?]$/)
  assert.match(flagText("rollback"), /older history/)
})

test("nextStep() names a command or a next move where there is one", () => {
  assert.equal(nextStep(verdictOf({ flags: ["unpublished"] })), "kez verify id dns:example.org")
  assert.match(
    nextStep(verdictOf({ status: "invalid", reason: "proof.not_found" })) ?? "",
    /kez claim publish dns:example\.org/,
  )
  assert.match(nextStep(verdictOf({ status: "unreachable", retryAfterSeconds: 60 })) ?? "", /60 s/)
  assert.equal(nextStep(verdictOf({})), undefined)
})

test("verdictJson() has every member, null where nothing is known", () => {
  const data = verdictJson({ verdict: verdictOf({ primary: undefined }), lastProven: undefined })
  assert.deepEqual(Object.keys(data).sort(), [
    "chain",
    "channel",
    "checked_at",
    "claim",
    "evidence",
    "flags",
    "last_proven",
    "primary",
    "reason",
    "retry_after_seconds",
    "status",
    "subject",
  ])
  assert.equal(JSON.stringify(data).includes("undefined"), false)
  assert.equal(data.checked_at, "2026-01-01T00:00:00Z")
  assert.equal(data.primary, null)
})

test("verdictText() calls a key earlier only where the chain rotated it away, and leaves out old heads", () => {
  const other = `ed25519:${"b".repeat(64)}`
  const verdict = verdictOf({
    claim: {
      digest: `sha256:${"c".repeat(64)}`,
      primary: other,
      createdAt: "2026-01-01T00:00:00Z",
      expiresAt: undefined,
    },
    evidence: [
      { kind: "head", source: "this computer", note: `old, signed by ${key}` },
      { kind: "head", source: "this computer", note: `live, signed by ${key}` },
    ],
  })
  const plain = verdictText({ verdict, lastProven: undefined }, false)
  assert.match(plain, new RegExp(`signed by +${other}\n`))
  assert.doesNotMatch(plain, /earlier key|old, signed/)
  assert.match(plain, /live, signed by ed25519:9f2caaaa…d3e1/)
  assert.match(verdictText({ verdict, lastProven: undefined, isEarlierKey: true }, false), /b, its earlier key\n/)
})

test("verdictText() puts what a place said beside a short name, and under a long URL", () => {
  const url = `https://api.example/${"x".repeat(40)}`
  const text = textOf({
    evidence: [
      { kind: "place", source: url, note: "one gist", httpStatus: 200 },
      { kind: "chain", source: "this computer", note: "holds 1 event" },
      { kind: "head", source: "chain.jsonl", note: "live" },
      { kind: "candidate", source: url },
    ],
  })
  assert.equal(
    text.slice(text.indexOf("  looked at")),
    [
      "  looked at",
      `    place  ${url}`,
      "           one gist, HTTP 200",
      "    chain  this computer  holds 1 event",
      "    head   chain.jsonl    live",
      `    proof  ${url}`,
    ].join("\n"),
  )
})
