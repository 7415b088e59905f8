/** The published exit codes, and the one table from codes to them. `kez help exit-codes` prints the first list. */
import type { Code } from "@kez/core"

export const exitCodes = {
  ok: 0,
  failure: 1,
  usage: 2,
  cancelled: 3,
  locked: 4,
  unreachable: 5,
  invalid: 10,
  revoked: 11,
  expired: 12,
  fork: 13,
  notFound: 14,
  interrupted: 130,
} as const

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

export const exitMeanings: ReadonlyArray<readonly [code: ExitCode, meaning: string]> = [
  [0, "done"],
  [1, "failed: a file, the key store, a place that refused, or a fault of this program"],
  [2, "wrong usage, or an answer was needed and nobody could be asked"],
  [3, "cancelled by you"],
  [4, "the key is locked or not on this computer, or a passphrase, password or token is wrong"],
  [5, "network or service unreachable, or not seen there yet: trying again makes sense"],
  [10, "the proof, signature or text is invalid"],
  [11, "revoked by its owner"],
  [12, "expired"],
  [13, "two conflicting histories"],
  [14, "no proof was found there"],
  [130, "interrupted with Ctrl-C"],
]

type AreaOf<C extends string> = C extends `${infer Area}.${string}` ? Area : C
type Area = AreaOf<Code>

/** What an area of codes means for a script that called us. The compiler asks for a line when core gets a new area. */
const areas: Readonly<Record<Area, ExitCode>> = {
  limit: exitCodes.invalid,
  text: exitCodes.invalid,
  json: exitCodes.invalid,
  schema: exitCodes.invalid,
  envelope: exitCodes.invalid,
  event: exitCodes.invalid,
  time: exitCodes.invalid,
  // An identity is what somebody typed; one inside a proof shows up as a verdict.
  identity: exitCodes.usage,
  key: exitCodes.locked,
  signature: exitCodes.invalid,
  encoding: exitCodes.invalid,
  zstd: exitCodes.invalid,
  // As a key that was passed on the command line.
  mnemonic: exitCodes.usage,
  proof: exitCodes.invalid,
  claim: exitCodes.invalid,
  account: exitCodes.invalid,
  chain: exitCodes.invalid,
  head: exitCodes.invalid,
  net: exitCodes.unreachable,
  chat: exitCodes.invalid,
  file: exitCodes.failure,
  channel: exitCodes.usage,
  publish: exitCodes.failure,
  auth: exitCodes.locked,
  broker: exitCodes.failure,
  handle: exitCodes.failure,
  directory: exitCodes.invalid,
  store: exitCodes.failure,
  input: exitCodes.failure,
  usage: exitCodes.usage,
  internal: exitCodes.failure,
}

const exceptions: Readonly<Partial<Record<Code, ExitCode>>> = {
  "limit.work": exitCodes.locked,
  "key.encoding": exitCodes.usage,
  "key.weak": exitCodes.invalid,
  "proof.not_found": exitCodes.notFound,
  "claim.revoked": exitCodes.revoked,
  "claim.expired": exitCodes.expired,
  "chain.fork": exitCodes.fork,
  "chat.fork": exitCodes.fork,
  "chat.sender_fork": exitCodes.fork,
  "chain.unreachable": exitCodes.unreachable,
  "chain.withheld": exitCodes.unreachable,
  "chain.rollback": exitCodes.unreachable,
  "chain.required": exitCodes.unreachable,
  "chain.stale": exitCodes.unreachable,
  "chain.unknown": exitCodes.failure,
  "net.url": exitCodes.usage,
  "directory.split": exitCodes.fork,
  "channel.down": exitCodes.unreachable,
  "publish.credentials": exitCodes.locked,
  "publish.unconfirmed": exitCodes.unreachable,
  "file.offer": exitCodes.invalid,
  "file.presence": exitCodes.invalid,
  "file.refused": exitCodes.unreachable,
  "file.manifest": exitCodes.invalid,
  "file.rollback": exitCodes.invalid,
  "file.fork": exitCodes.fork,
  "input.missing": exitCodes.usage,
  "input.cancelled": exitCodes.cancelled,
}

/** The exit code for an error with this code; 1 for a code that is not in the list. */
export function exitCodeOf(code: string): ExitCode {
  const exact: ExitCode | undefined = Object.hasOwn(exceptions, code) ? exceptions[code as Code] : undefined
  if (exact !== undefined) return exact
  const area = code.split(".", 1)[0] ?? ""
  return Object.hasOwn(areas, area) ? areas[area as Area] : exitCodes.failure
}
