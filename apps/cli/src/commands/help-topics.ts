/** The topics of `kez help`. The guide of a channel is the page in docs/guides: one text, read in two places. */
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { variables } from "../config.ts"
import { exitMeanings } from "../exit-codes.ts"

/** Topics by name; each returns its text. */
export const topics = {
  "exit-codes": async () => exitCodesText(),
  environment: async () => environmentText(),
  channels: channelsText,
  json: async () => jsonText,
  chat: () => guideText("chat"),
  files: () => guideText("files"),
  dns: () => guideText("dns"),
  github: () => guideText("github"),
  nostr: () => guideText("nostr"),
  bluesky: () => guideText("bluesky"),
  ap: () => guideText("ap"),
  kez: () => guideText("kez"),
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

const guides = join(import.meta.dirname, "../../../../docs/guides")

function guideText(system: string): Promise<string> {
  return readFile(join(guides, `${system}.md`), "utf8")
}

const places: ReadonlyArray<readonly [example: string, place: string]> = [
  ["dns:example.org", "a TXT record at _kez.example.org"],
  ["github:login", "a public gist, or the README of the repository login/login"],
  ["nostr:npub1…", "the profile, a note, or an app-data event of that key"],
  ["bluesky:name.bsky.social", "the profile text, or a post"],
  ["ap:user@example.org", "a profile field, the bio, or a pinned post (Mastodon and others)"],
  ["kez:handle@example.org", "the record of a KEZ chat server"],
]

async function channelsText(): Promise<string> {
  return [
    "A channel is where the owner of an account can place a proof, and nobody else:",
    "",
    ...places.map(([example, place]) => `  ${example.padEnd(26)}${place}`),
    "",
    "The guide of one of them: kez help dns | github | nostr | bluesky | ap | kez",
    "",
    "A key needs no place: ed25519:<64 hex digits> and nostr:npub1… prove themselves by signing.",
  ].join("\n")
}

const jsonText = `With --json every command prints one object on one line of stdout, and nothing else there:

  {"schema":"kez.verify/1","ok":true,"data":{…},"warnings":[]}
  {"schema":"kez.error/1","ok":false,"error":{"code":"store.unknown","message":"…","hint":"…"},"warnings":[]}

ok says that the command ran. What it found, a revoked or an invalid proof too, is in data, and in the exit code
(kez help exit-codes). Codes are stable, messages are not. docs/json.md describes every schema.`
