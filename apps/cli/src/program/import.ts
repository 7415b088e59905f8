/** The commands of `kez import`. */
import type { Command } from "commander"
import { action } from "../run.ts"
import { withExamples } from "./help.ts"

const resolver = ["--resolver <server>", "DNS server: 1.2.3.4, [::1]:53, or https://… for DNS over HTTPS"] as const
const timeout = ["--timeout <seconds>", "how long one place may take (default: 10)"] as const

export function addImportCommands(program: Command): void {
  const importing = program
    .command("import")
    .description(
      "Look for accounts that somebody names elsewhere. They are suggestions of what to check, never proofs.",
    )
    .summary("suggestions from other places")
    .helpGroup("Proofs")
  withExamples(importing, "kez import nip39 npub1…", "kez import rel-me https://example.org/about")
  const nip39 = importing
    .command("nip39 <npub>")
    .description("The accounts that a nostr key names in its profile (NIP-39).")
    .summary("accounts named in a nostr profile")
    .option(...resolver)
    .option(...timeout)
    .action(action(() => import("../commands/import-nip39.ts")))
  withExamples(nip39, "kez import nip39 npub1…", "kez import nip39 nostr:npub1… --json")
  const relMe = importing
    .command("rel-me <url>")
    .description('The accounts that a web page calls its owner\'s, by rel="me" links, and whether they link back.')
    .summary('accounts linked with rel="me"')
    .option(...resolver)
    .option(...timeout)
    .action(action(() => import("../commands/import-rel-me.ts")))
  withExamples(relMe, "kez import rel-me example.org", "kez import rel-me https://example.org/about --json")
}
