/** Texts and chains of a stranger that bring a command line to a code: each has one thing wrong. SPEC §2 to §5, §12 */
import { encodeBase64Url, envelopeDigest, formatEnvelope, formatTime, type SigchainEvent } from "@kez/core"
import {
  add,
  addDevice,
  claimOf,
  eventAfter,
  frameAfter,
  headOf,
  revoke,
  revokeDevice,
  rotate,
  setNext,
} from "../../packages/core/test/support/chains.ts"
import { block, compressed, frameOf } from "../../packages/core/test/support/frames.ts"
import { keyNamed, sealedText } from "../../packages/core/test/support/keys.ts"

export const owner = keyNamed("crosstest codes")
const other = keyNamed("crosstest codes, another")
const third = keyNamed("crosstest codes, a third")
const subject = "dns:a.example"

export const otherKey: string = other.key

export function claim(more: object = {}, by = owner): string {
  const created_at = "2026-01-01T00:00:00Z"
  return sealedText("claim", { type: "kez.claim", version: 1, subject, primary: owner.key, created_at, ...more }, by)
}

export const fence = (text: string): string => `\`\`\`kez\n${text}\n\`\`\`\n`
const frame = (bytes: Uint8Array): string => `kez:z1:${encodeBase64Url(bytes)}`
const whole = compressed(claim())
const nested = (depth: number) => `{"a":${"[".repeat(depth)}1${"]".repeat(depth)}}`
const members = (count: number) => `{${Array.from({ length: count }, (_, i) => `"m${i}":1`).join(",")}}`
const farFuture = formatTime(Date.UTC(2400, 0) / 1_000)

/** By code, what `verify file` refuses with it. */
export const texts: Readonly<Record<string, string | Uint8Array>> = {
  "limit.size": claim() + " ".repeat(1_048_576),
  "limit.depth": nested(8),
  "limit.members": members(65),
  "limit.decompressed": `kez:z1:${"A".repeat(87_383)}`,
  "limit.window": frame(frameOf({ window: 0x59, blocks: [block([65])] })),
  "limit.candidates": fence(claim()).repeat(9),
  "text.utf8": Buffer.concat([Buffer.from(claim()), Buffer.of(0xff)]),
  "text.bom": `\ufeff${claim()}`,
  "json.syntax": "{",
  "json.duplicate": claim().replace('"version":1', '"version":1,"version":1'),
  "json.number": claim().replace('"version":1', '"version":1.0'),
  "json.surrogate": claim().replace("a.example", "\\ud800"),
  "json.control": claim().replace("a.example", "\\u0001"),
  "schema.type": '{"kez":1,"payload":{},"signature":{}}',
  "schema.unknown_member": claim({ note: "x" }),
  "schema.missing_member": '{"kez":"claim"}',
  "envelope.kind": claim().replace('"claim"', '"promise"'),
  "envelope.version": claim({ version: 2 }),
  "time.syntax": claim({ created_at: "yesterday" }),
  "time.order": claim({ expires_at: "2026-01-01T00:00:00Z" }),
  "time.future": claim({ created_at: farFuture }),
  "key.encoding": claim({ primary: "ed25519:AB" }),
  "key.weak": claim().replaceAll(owner.key, `ed25519:01${"00".repeat(31)}`),
  "signature.alg": claim().replace("ed25519-sha512-jcs", "ed25519"),
  "signature.key": claim({}, other),
  "signature.encoding": claim().replace(/"sig":"../, '"sig":"'),
  "signature.invalid": claim().replace("a.example", "b.example"),
  "identity.syntax": claim({ subject: "github:-a-" }),
  "identity.charset": claim({ subject: "dns:a b.example" }),
  "identity.unsupported": claim({ subject: "did:web:a.example" }),
  "encoding.base64url": "kez:z1:AAA=",
  "encoding.unsupported": "kez:z9:AAAA",
  "zstd.frame": "kez:z1:AAAA",
  "zstd.dictionary": frame(frameOf({ size: 1, dictionary: true, blocks: [block([65])] })),
  "zstd.trailing": frame(Uint8Array.from([...whole, 0])),
  "proof.not_found": "hello\n",
  "proof.cut": fence(claim()).slice(0, -4),
  "claim.expired": claim({ expires_at: "2026-01-02T00:00:00Z" }),
  "claim.not_in_chain": `kez:r1:${"0".repeat(64)}`,
  "chain.unreachable": `Chain: https://127.0.0.1/chain.jsonl\n\n${fence(claim())}`,
}

const line = (event: SigchainEvent): string => `${formatEnvelope(event)}\n`
const document = (...events: readonly SigchainEvent[]): string => events.map(line).join("")
const first = add(undefined, subject, owner)
const second = add(first, "github:a", owner)
const withDevice = addDevice(undefined, other, owner)
const committed = setNext(undefined, other, owner)

/** An event whose payload is as it is given, rightly signed. */
const raw = (before: SigchainEvent, more: object, by = owner): string =>
  `${line(before)}${sealedText("sigchain_event", { ...frameAfter(before, owner), ...more }, by)}\n`

function grown(count: number, next: (before: SigchainEvent | undefined, i: number) => SigchainEvent): string {
  const events: SigchainEvent[] = []
  for (let i = 0; i < count; i++) events.push(next(events.at(-1), i))
  return document(...events)
}

const badPop = "00".repeat(64)

/** By code, what `sigchain import` refuses with it, all of it or an event of it. */
export const chainTexts: Readonly<Record<string, string>> = {
  "limit.chain": "{}\n".repeat(10_001),
  "limit.devices": grown(33, (before, i) => addDevice(before, keyNamed(`crosstest device ${i}`), owner)),
  "limit.claims": grown(257, (before, i) => add(before, `dns:a${i}.example`, owner)),
  "limit.size": raw(first, { op: "add", payload: { subject, subject_id: "x".repeat(512) } }).replace(
    "{",
    `{${" ".repeat(4_000)}`,
  ),
  "schema.value": raw(first, { op: "revoke_device", payload: { keys: [] } }),
  "event.op": raw(first, { op: "forget", payload: {} }),
  "identity.not_canonical": raw(first, { op: "revoke", payload: { subject: "dns:A.example" } }),
  "chain.jsonl": "hello\n",
  "chain.not_canonical": line(first).replace(":", ": "),
  "chain.genesis": line(second),
  "chain.gap": document(first, add(second, "github:b", owner)),
  "chain.repeat": document(first, first),
  "chain.prev": document(first, add(add(undefined, "github:b", owner), "github:c", owner)),
  "chain.primary": document(
    first,
    eventAfter(first, { op: "revoke", payload: { subject }, by: owner, changes: { primary: other.key } }),
  ),
  "chain.not_authorised": document(first, revoke(first, subject, other)),
  "chain.authority": document(withDevice, setNext(withDevice, third, other)),
  "chain.next_in_force": document(committed, setNext(committed, third, owner)),
  "chain.prerotation": document(committed, rotate(committed, third, owner)),
  "chain.key_in_use": document(withDevice, addDevice(withDevice, other, owner)),
  "chain.key_reuse": reuse(),
  "chain.pop": raw(first, { op: "add_device", payload: { key: other.key, pop: badPop } }),
  "signature.invalid": document(first, second).replace("github:a", "github:b"),
}

function reuse(): string {
  const gone = revokeDevice(withDevice, [other], owner)
  return document(withDevice, gone, addDevice(gone, other, owner))
}

const chain = envelopeDigest(first)
const revocation = revoke(first, subject, owner)
const now = Math.floor(Date.now() / 1_000)
const headText = (event: SigchainEvent, more: { by?: typeof owner; issued?: number; lasts?: number } = {}): string =>
  formatEnvelope(headOf(event, { chain, by: owner, issued: now - 60, lasts: 3_600, ...more }))

/** Chains that `verify file` is given beside the claim, and heads of them. */
export const history = {
  claim: formatEnvelope(claimOf(subject, owner)),
  listed: document(first),
  revoked: document(first, revocation),
  forked: [document(first, second), document(first, add(first, "github:b", owner))],
  newerHead: headText(revocation),
  strangerHead: headText(first, { by: other }),
  oldHead: headText(first, { issued: now - 7_200, lasts: 3_600 }),
  futureHead: headText(first, { issued: now + 100_000 }),
} as const

/** A key file whose passphrase would take 2^40 steps to try. */
export const costlyKeyFile: string = armored(
  `age-encryption.org/v1\n-> scrypt ${"A".repeat(22)} 40\n${"A".repeat(43)}\n--- ${"A".repeat(43)}\n${"x".repeat(64)}`,
)

function armored(text: string): string {
  const lines =
    Buffer.from(text)
      .toString("base64")
      .match(/.{1,64}/g) ?? []
  return `-----BEGIN AGE ENCRYPTED FILE-----\n${lines.join("\n")}\n-----END AGE ENCRYPTED FILE-----\n`
}
