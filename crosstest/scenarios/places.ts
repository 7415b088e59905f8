/** Places on loopback for scenarios, and what a tool says of them. */
import assert from "node:assert/strict"
import { type DnsReply, startDnsServer } from "../../packages/channels/test/support/dns-server.ts"
import { append } from "./chains.ts"
import { type PlainStore, startPlainStore } from "./plain-store.ts"
import { bothWays, type Direction, type Scenario } from "./scenario.ts"
import type { Tool } from "./tool.ts"

export type Step = readonly string[]
export const alice = (...step: Step): Step => ["--identity", "alice", "sigchain", ...step]
export const as = (who: string, ...step: Step): Step => ["--identity", who, "sigchain", ...step]

/** What a verdict says, whoever gives it. */
export interface Told {
  readonly exit: number
  readonly status: string
  readonly reason: string | null
  readonly flags: readonly string[]
  readonly chain: readonly unknown[] | null
}

const noName: DnsReply = { rcode: "NXDOMAIN" }

/** Places of a scenario, closed at its end. */
export class Places {
  readonly #closing: (() => unknown)[] = []

  /** Nothing else is asked: not the resolver of this machine, and no place that DNS would lead to. */
  readonly net: readonly string[] = []

  static async open(records: Readonly<Record<string, DnsReply | "silent">> = {}): Promise<Places> {
    const places = new Places()
    const dns = await startDnsServer(({ type, name }) => {
      const reply = type === "TXT" ? (records[name.toLowerCase()] ?? noName) : noName
      return reply === "silent" ? undefined : reply
    })
    places.#closing.push(() => dns.close())
    return Object.assign(places, { net: ["--resolver", dns.address] })
  }

  after(run: () => unknown): void {
    this.#closing.push(run)
  }

  async store(serves: PlainStore["serves"] = {}): Promise<PlainStore> {
    const store = await startPlainStore(serves)
    this.#closing.push(() => store.close())
    return store
  }

  async close(): Promise<void> {
    for (const close of this.#closing.toReversed()) await close()
  }
}

/** The same in both directions, with places that are closed afterwards. */
export function withPlaces(
  name: string,
  run: (direction: Direction, places: Places) => Promise<void>,
): readonly Scenario[] {
  return bothWays(name, async (direction) => {
    const places = await Places.open()
    try {
      await run(direction, places)
    } finally {
      await places.close()
    }
  })
}

export async function told(tool: Tool, args: readonly string[]): Promise<Told> {
  const { code, ok, data, error } = await tool.json(args)
  if (!ok) return { exit: code, status: "error", reason: error?.code ?? null, flags: [], chain: null }
  const { status, reason, flags, chain } = data as typeof data & { readonly chain: { id?: string } | null }
  const head = (chain as { readonly head?: { seq: number; digest: string } } | null)?.head
  const end = chain === null ? null : [chain.id, head?.seq, head?.digest]
  return { exit: code, status, reason, flags: flags.toSorted(), chain: end }
}

/** Both tools say the same. */
export async function bothSay(tools: readonly Tool[], args: (tool: Tool) => readonly string[]): Promise<Told> {
  const [first, ...others] = await Promise.all(tools.map((tool) => told(tool, args(tool))))
  assert.ok(first)
  for (const other of others) assert.deepEqual(other, first)
  return first
}

export const said = ({ exit, status, reason }: Told) => [exit, status, reason]

/** A claim in a file, and a chain of the maker that lists it. */
export async function claimed({ maker }: Direction, who = "alice") {
  const { text } = await maker.data(["--identity", who, "claim", "create", "dns:a.example", "--format", "json", "-q"])
  await append(maker, as(who, "add", "dns:a.example"))
  return { text, document: await exported(maker, who) }
}

export const exported = async (tool: Tool, who = "alice") =>
  (await tool.run(["--identity", who, "sigchain", "export", "-q"])).stdout

export async function chainOf(tool: Tool, who = "alice"): Promise<string> {
  return (await tool.data(["--identity", who, "sigchain", "show"])).chain
}

/** How a tool looks at a claim, where only these places are asked. */
export function file(text: string, { net }: Places, ...more: readonly string[]) {
  return (tool: Tool) => ["verify", "file", tool.file("claim.json", text), "--timeout", "2", ...net, ...more]
}

/** All but event 0. */
export const cutFirst = (document: string) => `${linesOf(document).slice(1).join("\n")}\n`
export const linesOf = (document: string) => document.trimEnd().split("\n")

export async function post(
  store: string,
  id: string,
  body: string,
): Promise<readonly [number, string | null, unknown]> {
  const headers = { "content-type": "application/json" }
  const answer = await fetch(`${store}/v1/chains/${encodeURIComponent(id)}/events`, { method: "POST", body, headers })
  const { code = null, kept } = (await answer.json()) as { readonly code?: string; readonly kept?: boolean }
  return [answer.status, code, kept]
}

/** Who reads: a home of each tool in which nothing was done yet. */
export const readers = ({ maker, checker }: Direction): readonly Tool[] => [checker.fresh(), maker.fresh()]
