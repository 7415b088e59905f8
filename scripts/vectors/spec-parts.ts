/** The parts of SPEC.md that follow from code: the table of codes (§12) and the worked example (§14). */
import {
  appendEvent,
  canonicalize,
  codes,
  encodeReference,
  envelopeDigest,
  formatChain,
  formatEnvelope,
  formatHex,
  signClaim,
  suites,
} from "@kez/core"
import { encodeZoneLine } from "../../packages/core/src/encoding/dns.ts"
import { codeMeanings } from "./code-meanings.ts"
import { libzstdText } from "./encodings.ts"
import { alice, aliceNostr, phone, start } from "./keys.ts"

/** Name of the part to its Markdown. */
export async function generatedParts(): Promise<ReadonlyMap<string, string>> {
  return new Map([
    ["codes", codesTable()],
    ["example", await example()],
  ])
}

function codesTable(): string {
  return ["| code | meaning |", "|---|---|", ...codes.map((code) => `| \`${code}\` | ${codeMeanings[code]} |`)].join(
    "\n",
  )
}

async function example(): Promise<string> {
  const claim = await signClaim({ subject: "dns:example.org", createdAt: start }, alice)
  const nostr = await signClaim({ subject: "dns:example.org", createdAt: start }, aliceNostr)
  const first = await appendEvent(
    { chain: undefined, operation: { op: "add_device", device: phone }, now: start },
    alice,
  )
  const proof = envelopeDigest(claim)
  const operation = { op: "add", subject: "dns:example.org", proof } as const
  const second = await appendEvent({ chain: first.replay, operation, now: start + 60 }, phone)
  const block = (text: string) => `\`\`\`\n${text}\n\`\`\``
  const pop = first.event.payload.op === "add_device" ? first.event.payload.payload.pop : ""
  return [
    `Primary: \`${alice.key}\`. As a nostr key, the same 32 bytes are \`${aliceNostr.key}\`.`,
    "The device of the chain below is the Ed25519 seed of 32 bytes of `01`.",
    "",
    "A claim. The signed bytes, JCS(payload):",
    block(canonicalize(claim.payload)),
    `Their Ed25519 signature (\`${suites.ed25519.alg}\`):`,
    block(claim.signature.sig),
    "JCS(envelope), whose digest is the claim's name in a chain:",
    block(formatEnvelope(claim)),
    block(proof),
    "The same claim by the nostr key; SHA-256 of its signed bytes is signed with zero auxiliary randomness:",
    block(formatEnvelope(nostr)),
    "One compact text of the first claim (other compressors give other texts of the same claim), and its zone-file line:",
    block(libzstdText),
    block(encodeZoneLine(claim, libzstdText)),
    "A chain of two events: the primary adds a device, the device adds the claim. As JSONL:",
    block(formatChain(second.replay.path).trimEnd()),
    `The proof of possession in event 0 signs, with the device's key, the text below; \`event\` is the digest of event 0's payload without \`pop\`:`,
    block(
      canonicalize({
        type: "kez.pop",
        version: 1,
        role: "device",
        key: phone.key,
        event: await eventDigest(first.event.payload),
      }),
    ),
    block(pop),
    "The chain id, the digest of event 1, and the reference:",
    block(`${second.replay.chain}\n${second.replay.head.digest}\n${encodeReference({ chain: second.replay.chain })}`),
  ].join("\n\n")
}

/** SPEC [CHAIN-17], spelled out here once more instead of asking the library. */
async function eventDigest(payload: { readonly payload: object }): Promise<string> {
  const { pop: _, ...operation } = { pop: "", ...payload.payload }
  const bytes = new TextEncoder().encode(canonicalize({ ...payload, payload: operation }))
  return `sha256:${formatHex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)))}`
}
