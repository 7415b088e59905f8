/** Events and chains for people. */
import { type ChainReplay, envelopeDigest, type SigchainEvent } from "@kez/core"
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

/** Every branch of every split, with what decides. */
export function splitsText({ splits }: ChainReplay): string {
  return splits
    .map(({ seq, successors, winner }) => {
      const rows = successors.map(({ digest, rank }) => [
        digest,
        `signed up to ${rank} rank`,
        winner === undefined ? "undecided" : winner === digest ? "wins" : "loses",
      ])
      return `${count(successors.length, "branch", "branches")} at event ${seq}\n${columns(rows, "  ")}`
    })
    .join("\n")
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
