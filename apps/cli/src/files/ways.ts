/** The ways that files may take, as flags and settings say, and who sees what on each of them. docs/decisions/files.md */
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { KezError } from "@kez/core"
import { areFileRelays, fileRelaysExpected } from "../config-file.ts"
import type { Context } from "../context.ts"
import { note } from "../output.ts"

export interface WayOptions {
  /** URLs, or one of the words `none`, `host` and `public`. */
  readonly relay?: readonly string[] | undefined
  readonly relayOnly?: boolean | undefined
  readonly lan?: boolean | undefined
}

/** As kez-iroh is told. */
export interface Ways {
  readonly relay: "none" | "public" | readonly string[]
  readonly direct: boolean
  readonly discovery: "none" | "lan"
  /** Addresses to use; absent: all. */
  readonly bind?: readonly string[]
}

/** The chat server of the account, and the relays that it names: only asked for where they are chosen. */
export interface WayHost {
  readonly host: string
  readonly relays: () => Promise<readonly string[]>
}

type Given = Pick<Context, "settings">

/** Of what is known before a chat server is. Throws `usage` for ways that do not go together. */
export function assertWays({ settings }: Given, { relay, relayOnly, lan }: WayOptions): void {
  const relays = relaysIn(settings, relay)
  if (relays.length > 0 && !areFileRelays(relays))
    throw new KezError("usage", `Cannot use --relay: expected none, or ${fileRelaysExpected}`)
  const direct = isDirect(settings, relayOnly)
  if (!direct && relays.length === 0) {
    throw new KezError("usage", "Cannot use a relay alone: expected a relay", {
      hint: 'kez-iroh needs one to reach the other side: --relay https://relay.example.org, or file_relays = ["…"] in config.toml',
    })
  }
  if (lan === true && !direct) {
    throw new KezError("usage", "Cannot be found on the local network: no address of this computer is to be told", {
      hint: "Leave --lan away, or use direct ways: --no-relay-only",
    })
  }
}

/** Throws `usage` as `assertWays`, and where the host has not what was chosen. */
export async function readWays(context: Given, at: WayHost, options: WayOptions): Promise<Ways> {
  assertWays(context, options)
  const { settings } = context
  const { host } = at
  const direct = isDirect(settings, options.relayOnly)
  // A chat server on this computer is a trial: nothing of it leaves the computer.
  const isHere = host === "localhost"
  if (options.lan === true && isHere) {
    throw new KezError("usage", "Cannot be found on the local network: the account is of this computer alone", {
      hint: "Leave --lan away.",
    })
  }
  const relay = await relayOf(relaysIn(settings, options.relay), at)
  const isOnLan = direct && !isHere && (options.lan ?? settings.fileLan.value)
  return { relay, direct, discovery: isOnLan ? "lan" : "none", ...(isHere ? { bind: ["127.0.0.1:0"] } : {}) }
}

/** Empty: none. */
function relaysIn({ fileRelays }: Context["settings"], given: readonly string[] = []): readonly string[] {
  if (given.length === 1 && given[0] === "none") return []
  return given.length === 0 ? fileRelays.value : given
}

function isDirect({ fileDirect }: Context["settings"], relayOnly: boolean | undefined): boolean {
  return relayOnly === undefined ? fileDirect.value : !relayOnly
}

async function relayOf(relays: readonly string[], { host, relays: ask }: WayHost): Promise<Ways["relay"]> {
  if (relays.length === 0) return "none"
  if (relays[0] !== "host") return relays[0] === "public" ? "public" : relays
  const named = await ask()
  if (named.length > 0) return named
  throw new KezError("usage", `Cannot use the relay of ${host}: it names none`, {
    hint: "Another one: --relay https://relay.example.org, or none: --relay none",
  })
}

export type Say = (text: string) => void

const recordName = "ways.json"

/**
 * Says who sees what, once for each way: when it is used and was not used the last time. `folder`: of the files of the account. What nobody
 * was told of is told the next time.
 */
export function tellWays(
  context: Pick<Context, "flags" | "warn">,
  folder: string,
  { ways, say }: { readonly ways: Ways; readonly say?: Say | undefined },
): void {
  const { quiet } = context.flags
  const place = join(folder, recordName)
  const texts = textsOf(ways)
  const told = readTold(place)
  const isNew = [...texts.keys()].filter((name) => !told.includes(name))
  const said = isNew.map((name) => texts.get(name) ?? "")
  // A screen has one line for it.
  for (const text of say === undefined || said.length === 0 ? said : [said.join("; ")]) tell(context, text, say)
  const names = [...texts.keys()].filter((name) => !quiet || told.includes(name))
  if (names.join() !== told.join()) writeFileSync(place, `${JSON.stringify(names)}\n`, { mode: 0o600 })
}

/** At once; among the warnings where the output is JSON and nobody else says it. */
export function tell({ flags, warn }: Pick<Context, "flags" | "warn">, text: string, say?: Say): void {
  if (!flags.quiet) (say ?? (flags.json ? warn : note))(text)
}

/** Names of ways, and what is to be known of each. */
function textsOf({ relay, direct, discovery, bind }: Ways): ReadonlyMap<string, string> {
  const texts = new Map<string, string>()
  if (direct && bind === undefined)
    texts.set(
      "direct",
      "direct: whoever you give files to or take them from sees the network addresses of this computer",
    )
  if (!direct) texts.set("relay-only", "relay only: nobody but the relay is told an address of this computer")
  if (relay === "public")
    texts.set("relay public", relayText("the public relays of iroh, which a company runs,", "see"))
  else if (relay !== "none") for (const url of relay) texts.set(`relay ${url}`, relayText(`the relay ${url}`, "sees"))
  if (discovery === "lan")
    texts.set("lan", "lan: everybody on the local network can see that files are moved here, and at which addresses")
  return texts
}

function relayText(who: string, sees: string): string {
  return `${who} ${sees} the addresses of both computers, when and how much they send; not what, which is encrypted from end to end`
}

function readTold(place: string): readonly string[] {
  try {
    const told: unknown = JSON.parse(readFileSync(place, "utf8"))
    return Array.isArray(told) ? told.filter((name) => typeof name === "string") : []
  } catch {
    return []
  }
}
