/** The topics of `kez help`. */
import { variables } from "../config.ts"
import { exitMeanings } from "../exit-codes.ts"

/** Topics by name; each returns its text. */
export const topics = {
  "exit-codes": async () => exitCodesText(),
  environment: async () => environmentText(),
  channels: channelsText,
  json: async () => jsonText,
} as const satisfies Readonly<Record<string, () => Promise<string>>>

export function isTopic(name: string): name is keyof typeof topics {
  return Object.hasOwn(topics, name)
}

function exitCodesText(): string {
  const rows = exitMeanings.map(([code, meaning]) => `  ${String(code).padStart(3)}  ${meaning}`)
  return ["What the exit code of every command says:", "", ...rows].join("\n")
}

function environmentText(): string {
  const rows = variables.map(([name, meaning]) => `  ${name.padEnd(24)}${meaning}`)
  return [
    "Environment variables. Of several places the first wins:",
    "flag, environment, [profiles.NAME] in config.toml, config.toml, default. kez config show --origin tells which did.",
    "",
    ...rows,
  ].join("\n")
}

const places: ReadonlyArray<readonly [system: string, example: string, place: string]> = [
  ["dns", "dns:example.org", "a TXT record at _kez.example.org"],
  ["github", "github:login", "a public gist, or the repository login/login"],
  ["nostr", "nostr:npub1…", "a signed note of that key"],
  ["bluesky", "bluesky:name.bsky.social", "a post, or the profile text"],
  ["ap", "ap:user@example.org", "a profile field, or the bio (Mastodon and others)"],
  ["kez", "kez:handle@example.org", "the record of a handle on a KEZ chat server"],
]

async function channelsText(): Promise<string> {
  const { findChannel } = await import("@kez/channels")
  const rows = places.map(([system, example, place]) => {
    const mark = findChannel(system) === undefined ? "not yet: " : ""
    return `  ${example.padEnd(26)}${mark}${place}`
  })
  return [
    "A channel is where the owner of an account can place a proof, and nobody else:",
    "",
    ...rows,
    "",
    "A key needs no place: ed25519:<64 hex digits> and nostr:npub1… prove themselves by signing.",
  ].join("\n")
}

const jsonText = `With --json every command prints one object on one line of stdout, and nothing else there:

  {"schema":"kez.verify/1","ok":true,"data":{…},"warnings":[]}
  {"schema":"kez.error/1","ok":false,"error":{"code":"store.unknown","message":"…","hint":"…"},"warnings":[]}

ok says that the command ran. What it found, a revoked or an invalid proof too, is in data, and in the exit code
(kez help exit-codes). Codes are stable, messages are not. docs/json.md describes every schema.`
