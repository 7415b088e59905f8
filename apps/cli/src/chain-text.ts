/** Events and chains for people. */
import { type ChainReplay, envelopeDigest, type SigchainEvent, type Split } from "@kez/core"
import { branchEvents } from "./chain-json.ts"
import { printable } from "./output.ts"
import { columns, count, shortDigest, shortKey } from "./short-text.ts"

/** What an event is about, in a few words. */
export function eventSubject({ payload }: SigchainEvent): string {
  switch (payload.op) {
    case "add":
    case "revoke":
      return printable(payload.payload.subject, 80)
    case "add_device":
      return shortKey(payload.payload.key)
    case "revoke_device":
      return payload.payload.keys.map(shortKey).join(", ")
    case "set_next":
      return shortDigest(payload.payload.next)
    case "rotate":
      return shortKey(payload.payload.new_primary)
    case "settle":
      return `against ${payload.payload.reject.map(shortDigest).join(", ")}`
    case "set_shared_files":
      return shortDigest(payload.payload.manifest)
  }
}

/** One event on one line, for lists of branches and revocations. */
export function eventLine(event: SigchainEvent): readonly string[] {
  const { payload, signature } = event
  const digest = shortDigest(envelopeDigest(event))
  return [digest, String(payload.seq), payload.op, eventSubject(event), shortKey(signature.key)]
}

/** The word for the whole of a chain. */
export function chainStatus({ status, contested }: Pick<ChainReplay, "status" | "contested">): string {
  if (status === "fork") return "⑂ conflicting history, undecided"
  return contested ? "contested: it had a fork, and its rules decided it" : "✓ one history"
}

/** How strong the strongest signature of a branch is: this decides, and not time or length. SPEC §5.6 */
const rankWords: Readonly<Record<Split["successors"][number]["rank"], string>> = {
  recovery: "signed by the key that was committed to",
  primary: "signed by the primary key",
  device: "signed by devices only",
}
const maxEventsShown = 20

/** Every branch of every split, with what decides and what it holds. `own`: events that were signed on this computer. */
export function splitsText(chain: ChainReplay, own: ReadonlySet<string>): string {
  return chain.splits
    .flatMap((split) => [
      `${count(split.successors.length, "branch", "branches")} at event ${split.seq}`,
      ...split.successors.map((branch) => branchText(chain, { split, ...branch }, own)),
    ])
    .join("\n")
}

function branchText(
  chain: ChainReplay,
  { split, digest, rank }: { readonly split: Split } & Split["successors"][number],
  own: ReadonlySet<string>,
): string {
  const { winner } = split
  const fate = winner === undefined ? "undecided" : winner === digest ? "wins" : "loses"
  const events = branchEvents(chain, split, digest)
  const rows = events.slice(0, maxEventsShown).map((event) => branchRow(event, own))
  const more = events.length - rows.length
  return [
    `  ${digest}  ${fate}, ${rankWords[rank]}`,
    columns(rows, "    "),
    ...(more > 0 ? [`    and ${count(more, "more event")}`] : []),
  ].join("\n")
}

function branchRow(event: SigchainEvent, own: ReadonlySet<string>): readonly string[] {
  const { seq, op, created_at } = event.payload
  const where = own.has(envelopeDigest(event)) ? "made on this computer" : ""
  return [String(seq), op, eventSubject(event), `by ${shortKey(event.signature.key)}`, created_at, where]
}

export function devicesText({ state }: ChainReplay): string {
  const rows = state.devices.map(({ key, addedBy, seq, suspended }) => [
    key,
    `added by ${shortKey(addedBy)}`,
    `event ${seq}`,
    suspended ? "suspended" : "",
  ])
  return rows.length === 0 ? "devices\n  none" : `devices\n${columns(rows, "  ")}`
}

export function subjectsText({ state }: ChainReplay): string {
  const rows = [...state.subjects.values()].map(({ subject, status, proof, subjectId }) => [
    printable(subject, 80),
    status,
    proof === undefined ? "no claim named" : `claim ${shortDigest(proof)}`,
    subjectId === undefined ? "" : `number ${printable(subjectId, 80)}`,
  ])
  return rows.length === 0 ? "subjects\n  none" : `subjects\n${columns(rows, "  ")}`
}
