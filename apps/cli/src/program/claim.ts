/** The commands of `kez claim`. */
import { type Command, Option } from "commander"
import { action } from "../run.ts"
import { type HelpTable, withExamples, withTable } from "./help.ts"
import { withKeyOptions } from "./key-options.ts"

const forms = ["json", "compact", "markdown", "dns", "reference"]
const expires = ["--expires <when>", "90d, 2027-01-01, or 2027-01-01T12:00:00Z (default: never)"] as const
const out = ["--out <file>", "write to a file instead of stdout"] as const
const force = ["--force", "write over an existing file"] as const
const hint = ["--chain-hint <url>", "https URL where your chain lies, written beside the claim"] as const

export function addClaimCommands(program: Command): void {
  const claim = program
    .command("claim")
    .description("Make claims: signed texts that say an account is yours, to be published in that account's own place.")
    .summary("say that an account is yours")
    .helpGroup("Proofs")
  withExamples(
    claim,
    "kez claim publish github:login",
    "kez claim dns example.org",
    "kez claim create github:login --out kez.md",
    "kez claim list",
  )
  const create = claim
    .command("create <subject>")
    .description("Sign a claim for an account and print it.")
    .addOption(new Option("--format <form>", "how to write it (default: markdown)").choices(forms))
    .option(...expires)
    .option(...hint)
    .option(...out)
    .option(...force)
    .action(action(() => import("../commands/claim-create.ts")))
  withExamples(
    withKeyOptions(create),
    "kez claim create github:login --out kez.md",
    "kez claim create ap:user@example.social --format compact --expires 1y",
    "kez claim create bluesky:name.bsky.social --format reference",
  )
  const dns = claim
    .command("dns <domain>")
    .description("Print the TXT record that proves a domain, as lines for its zone. An earlier claim is used again.")
    .summary("print the DNS record that proves a domain")
    .option("--new", "make a new claim even where an earlier one serves")
    .option("--reference", "the short form, which names your chain; the chain has to list the domain")
    .option(...expires)
    .option(...hint)
    .option(...out)
    .option(...force)
    .action(action(() => import("../commands/claim-dns.ts")))
  withExamples(
    withKeyOptions(dns),
    "kez claim dns example.org",
    "kez claim dns example.org --expires 1y --chain-hint https://example.org/.well-known/kez-sigchain.jsonl",
    "kez claim dns example.org >> example.org.zone",
  )
  addPublishing(claim)
  const list = claim
    .command("list")
    .alias("ls")
    .description("List the claims made on this computer, or print those that still serve in the form of their place.")
    .summary("list the claims made on this computer")
    .addOption(new Option("--format <form>", "print the claims in this form instead of a list").choices(forms))
    .option(...out)
    .option(...force)
    .action(action(() => import("../commands/claim-list.ts")))
  withExamples(list, "kez claim list", "kez claim list --json", "kez claim list --format dns")
}

/** The places of each publisher, the usual one first, and what it asks of the owner. */
export const publishTable: HelpTable = {
  title: "Places, the usual one first, and what it takes to write there",
  rows: [
    ["github", "gist. The login of gh, GH_TOKEN, or a token with the scope gist"],
    ["bluesky", "profile, post. An app password; KEZ_BSKY_APP_PASSWORD"],
    ["ap", "field, bio, post. An access token of the server; KEZ_MASTODON_TOKEN"],
    ["nostr", "app-data, profile, note. The key itself: an identity here, or a file with its nsec"],
    ["dns", "the zone. You enter the lines that are printed; the command waits until they are seen"],
  ],
}

const credential = ["--credential-file <path>", "file with the token, app password or nsec; - is stdin"] as const
const resolver = ["--resolver <server>", "DNS server: 1.2.3.4, [::1]:53, or https://… for DNS over HTTPS"] as const
const acceptNew = [
  "--accept-new-account",
  "the name belongs to another account than your chain says, and that one is yours too",
] as const
const timeout = ["--timeout <seconds>", "how long one place may take (default: 10)"] as const

function addPublishing(claim: Command): void {
  const publish = claim
    .command("publish <subject>")
    .description("Put the proof into the account's own place, look for it there, and list the account in your chain.")
    .summary("publish the proof, check it, and list it")
    .option("--place <name>", "one of the places above, instead of the usual one")
    .option(...credential)
    .option("--wait <seconds>", "how long to look until it is seen; 0 looks once (default: 60, for a zone 600)")
    .option(...expires)
    .option(...hint)
    .option("--name-server <server>", "for a domain: the server of its zone to ask, instead of those in its NS records")
    .option(...acceptNew)
    .option(...resolver)
    .option(...timeout)
    .action(action(() => import("../commands/claim-publish.ts")))
  withTable(publish, publishTable)
  withExamples(
    withKeyOptions(publish),
    "kez claim publish github:login",
    "kez claim publish bluesky:name.bsky.social --place post",
    "kez claim publish ap:user@example.social --credential-file token.txt",
    "kez claim publish dns:example.org --wait 900",
  )
  const unpublish = claim
    .command("unpublish <subject>")
    .description("Take every proof of yours away from the account's own place. Only the chain can revoke it for good.")
    .summary("take the proof away from its place")
    .option(...credential)
    .option("--wait <seconds>", "how long to look until it is gone; 0 looks once (default: 60)")
    .option(...acceptNew)
    .option(...resolver)
    .option(...timeout)
    .action(action(() => import("../commands/claim-unpublish.ts")))
  withExamples(withKeyOptions(unpublish), "kez claim unpublish github:login", "kez claim unpublish nostr:npub1…")
}
