/**
 * SPEC §5.4 to §5.7 once more, as plain as the text: recursion, copies, and every question answered by a walk. Slow, for small
 * chains; it shares with the library only the decoding of events and the signature suites.
 */
import { canonicalize } from "../../src/canonical.ts"
import { digestOf } from "../../src/digest.ts"
import { envelopeDigest, type SigchainEvent } from "../../src/envelope/envelope.ts"
import { parseKeyIdentity, publicKeyBytes } from "../../src/identity.ts"
import { commitmentTo } from "../../src/sigchain/commitment.ts"
import { suites } from "../../src/suite/suites.ts"

interface State {
  readonly primary: string
  readonly next: string | undefined
  /** Active devices. */
  readonly devices: readonly string[]
  /** Who added whom, ever. */
  readonly added: readonly (readonly [by: string, key: string])[]
  readonly burned: readonly string[]
  readonly subjects: ReadonlyMap<string, "active" | "revoked">
}

interface Node {
  readonly event: SigchainEvent
  readonly digest: string
  readonly before: State
  readonly after: State
  readonly parents: readonly Node[]
  readonly children: Node[]
}

export function replayPlainly(events: readonly SigchainEvent[]) {
  const [first] = events
  if (first === undefined) throw new Error("no events")
  const codes: string[] = []
  const empty = {
    primary: first.payload.primary,
    next: undefined,
    devices: [],
    added: [],
    burned: [],
    subjects: new Map(),
  }
  const root = grow(first, empty, [])
  if (root === undefined) throw new Error("event 0 is not valid")
  const { path, status } = follow(root)
  const end = path.at(-1)?.after ?? empty
  const { subjects, suspended } = sticky(root, path, end)
  const said = new Map<string, string>([...end.subjects, ...subjects.map((name) => [name, "revoked"] as const)])
  return {
    status,
    digests: path.map(({ digest }) => digest),
    primary: end.primary,
    next: end.next,
    devices: [...end.devices].sort().map((key) => ({ key, suspended: suspended.includes(key) })),
    subjects: [...said].map(([name, state]) => `${name} ${state}`).sort(),
    codes: codes.sort(),
  }

  function grow(event: SigchainEvent, before: State, parents: readonly Node[]): Node | undefined {
    const digest = envelopeDigest(event)
    const after = step(before, event)
    if (typeof after === "string") {
      codes.push(`${digest} ${after}`)
      return undefined
    }
    const node: Node = { event, digest, before, after, parents, children: [] }
    const seen = new Set<string>()
    for (const next of events) {
      if (next.payload.prev !== digest || next.payload.seq !== event.payload.seq + 1 || seen.has(envelopeDigest(next)))
        continue
      seen.add(envelopeDigest(next))
      const child = grow(next, after, [...parents, node])
      if (child !== undefined) node.children.push(child)
    }
    return node
  }
}

/** The state after a valid event, or the code of the first check that fails. [CHAIN-6] to [CHAIN-17] */
function step(state: State, event: SigchainEvent): State | string {
  const { payload, signature } = event
  const signer = signature.key
  const used = [state.primary, ...state.devices]
  if (payload.primary !== state.primary) return "chain.primary"
  if (payload.op === "rotate" && state.next !== undefined) {
    if (signer !== payload.payload.new_primary || commitmentTo(signer) !== state.next) return "chain.prerotation"
  } else if (!used.includes(signer)) return "chain.not_authorised"
  else if (signer !== state.primary && ["set_next", "rotate", "settle"].includes(payload.op)) return "chain.authority"
  const introduced =
    payload.op === "add_device"
      ? payload.payload.key
      : payload.op === "rotate"
        ? payload.payload.new_primary
        : undefined
  if (introduced !== undefined && used.includes(introduced)) return "chain.key_in_use"
  if (introduced !== undefined && state.burned.includes(introduced)) return "chain.key_reuse"
  if (payload.op === "revoke_device" && payload.payload.keys.includes(state.primary)) return "chain.authority"
  if (payload.op === "revoke_device" && payload.payload.keep?.some((key) => payload.payload.keys.includes(key)))
    return "schema.value"
  if (payload.op === "set_next" && state.next !== undefined) return "chain.next_in_force"
  if (!isSigned(canonicalize(payload), signer, signature.sig)) return "signature.invalid"
  if ((payload.op === "add_device" || payload.op === "rotate") && introduced !== undefined) {
    const { pop, ...rest } = payload.payload
    const stated = digestOf(canonicalize({ ...payload, payload: rest }))
    const role = payload.op === "rotate" ? "primary" : "device"
    const text = canonicalize({ type: "kez.pop", version: 1, role, key: introduced, event: stated })
    if (!isSigned(text, introduced, pop)) return "chain.pop"
  }
  switch (payload.op) {
    case "add":
      return { ...state, subjects: new Map([...state.subjects, [payload.payload.subject, "active"]]) }
    case "revoke":
      return { ...state, subjects: new Map([...state.subjects, [payload.payload.subject, "revoked"]]) }
    case "add_device":
      return {
        ...state,
        devices: [...state.devices, payload.payload.key],
        added: [...state.added, [signer, payload.payload.key]],
      }
    case "revoke_device": {
      const gone = revokedBy(state, payload.payload.keys, payload.payload.keep ?? [])
      return {
        ...state,
        devices: state.devices.filter((key) => !gone.includes(key)),
        burned: [...state.burned, ...gone],
      }
    }
    case "set_next":
      return { ...state, next: payload.payload.next }
    case "rotate":
      return {
        ...state,
        primary: payload.payload.new_primary,
        next: payload.payload.next,
        burned: [...state.burned, state.primary],
      }
    default:
      return state
  }
}

/** [CHAIN-12] */
function revokedBy(state: State, keys: readonly string[], keep: readonly string[]): readonly string[] {
  return [
    ...keys,
    ...state.devices.filter(
      (device) => !keep.includes(device) && ancestors(state, device).some((key) => keys.includes(key)),
    ),
  ]
}

/** Who added a key on this branch, directly or through others. */
function ancestors(state: State, key: string): readonly string[] {
  const by = state.added.find(([, added]) => added === key)?.[0]
  return by === undefined ? [] : [by, ...ancestors(state, by)]
}

function isSigned(text: string, key: string, sig: string): boolean {
  const identity = parseKeyIdentity(key)
  return suites[identity.system].verify(Buffer.from(sig, "hex"), Buffer.from(text), publicKeyBytes(identity))
}

/** [FORK-1] to [FORK-4] */
function follow(root: Node): { readonly path: readonly Node[]; readonly status: "ok" | "fork" } {
  const path = [root]
  for (let node = root; node.children.length > 0; path.push(node)) {
    const { primary, next } = node.after
    const rank = ({ event }: Node) => {
      const { key } = event.signature
      return next !== undefined && commitmentTo(key) === next ? 3 : key === primary ? 2 : 1
    }
    const ranks = node.children.map((child) => Math.max(...below(child).map(rank)))
    const highest = Math.max(...ranks)
    const tied = node.children.filter((_, i) => ranks[i] === highest)
    const leaves = (child: Node) =>
      below(child).some(({ event: { payload } }) => {
        if (payload.op !== "rotate") return false
        return highest === 3
          ? next !== undefined && commitmentTo(payload.primary) === next
          : payload.primary === primary
      })
    const settled = tied.filter(
      (child) =>
        tied.every((other) => other === child || !leaves(other)) &&
        below(child).some(({ event: { payload, signature } }) => {
          if (payload.op !== "settle" || (highest === 3 && signature.key === primary)) return false
          return tied.every((other) => other === child || payload.payload.reject.includes(other.digest))
        }),
    )
    const winners = tied.length === 1 ? tied : settled
    const [winner] = winners
    if (winner === undefined || winners.length > 1) return { path, status: "fork" }
    node = winner
  }
  return { path, status: "ok" }
}

function below(node: Node): readonly Node[] {
  return [node, ...node.children.flatMap(below)]
}

/** [FORK-6] and [FORK-7] */
function sticky(root: Node, path: readonly Node[], end: State) {
  const owners = path.filter(
    ({ event, before }) => event.signature.key === before.primary || event.payload.op === "rotate",
  )
  const subjects: string[] = []
  const suspended: string[] = []
  for (const { event, digest, before } of below(root).filter((node) => !path.includes(node))) {
    const { payload, signature } = event
    if (payload.op !== "revoke" && payload.op !== "revoke_device") continue
    const whole = [signature.key, ...ancestors(before, signature.key)]
    const kept = whole.findIndex((key) => end.devices.includes(key))
    const line = kept === -1 ? whole : whole.slice(0, kept)
    const isLifted = owners.some((node) => {
      const by = node.event.payload
      if (by.op === "settle") return by.payload.reject.includes(digest)
      if (by.op !== "revoke_device") return false
      return revokedBy(node.before, by.payload.keys, by.payload.keep ?? []).some((key) => line.includes(key))
    })
    if (isLifted) continue
    if (payload.op === "revoke") subjects.push(payload.payload.subject)
    else {
      const { keys, keep = [] } = payload.payload
      const hit = end.devices.filter(
        (device) => keys.includes(device) || ancestors(end, device).some((key) => keys.includes(key)),
      )
      suspended.push(...hit.filter((device) => !keep.includes(device)))
    }
  }
  return { subjects, suspended }
}
