/** The commands of `kez verify`. */
import type { Command } from "commander"
import { action } from "../run.ts"
import { withExamples } from "./help.ts"

export function addVerifyCommands(program: Command): void {
  const verify = program
    .command("verify")
    .description("Check who is behind an account: its proof, its place, and the history of the key.")
    .summary("check who is behind an account")
    .helpGroup("Proofs")
  withExamples(
    verify,
    "kez verify id github:jason",
    "kez verify id dns:example.org ap:user@example.social",
    "kez verify file examples/claim.md",
    "kez verify file - < claim.md",
  )
  const id = withVerifyOptions(verify.command("id <identities...>"))
    .description("Check accounts, each by the proof that its own place shows now. Several are looked at in parallel.")
    .summary("check accounts where they live")
    .option("--watch [seconds]", "look again and again, and say what changed (default: every 60 s)")
    .option("--accept-new-account", "the name belongs to another account than before, and that is right")
    .action(action(() => import("../commands/verify-id.ts")))
  withExamples(
    id,
    "kez verify id github:jason",
    "kez verify id dns:example.org bluesky:name.bsky.social ap:user@example.social",
    "kez verify id dns:example.org --primary ed25519:9f2c… --require-chain --json",
    "kez verify id github:jason --watch 300",
  )
  const file = withVerifyOptions(verify.command("file <path>"))
    .description("Check the signature and history of a claim in a file. Its publication is not looked at.")
    .summary("check a claim in a file; - is stdin")
    .option("--offline", "ask nobody; only what this computer holds")
    .action(action(() => import("../commands/verify-file.ts")))
  withExamples(
    file,
    "kez verify file examples/claim.md",
    "kez verify file - < claim.md",
    "kez verify file claim.md --offline",
  )
}

function withVerifyOptions(command: Command): Command {
  return withLookingOptions(
    command
      .option("--primary <key>", "the key that you expect: ed25519:… or nostr:npub1…")
      .option("--fresh", "fail unless a signed head confirms that the chain found is complete"),
  )
}

/** What every command has that looks at accounts and chains. */
export function withLookingOptions(command: Command): Command {
  return command
    .option("--require-chain", "fail unless the identity's chain was found, so that a revocation would be seen")
    .option("--chain <file>", "a chain document to consult too; may be repeated", collect, [])
    .option("--store <url>", "a sigchain store to ask too; may be repeated", collect, [])
    .option("--resolver <server>", "DNS server: 1.2.3.4, [::1]:53, or https://… for DNS over HTTPS")
    .option("--timeout <seconds>", "how long one place may take (default: 10)")
}

export function collect(value: string, earlier: readonly string[]): readonly string[] {
  return [...earlier, value]
}
