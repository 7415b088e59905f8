/** The ways that files may take, for every command that moves them. */
import type { Command } from "commander"
import { collect } from "./verify.ts"

/** Flags before settings: file_relays, file_direct and file_lan of config.toml. Returns the command. */
export function withFileWays(command: Command): Command {
  return command
    .option(
      "--relay <url>",
      "also through this relay, which sees addresses and amounts, not contents; may be repeated. host: what your chat server names; public: those of iroh; none: not those of the settings",
      collect,
      [],
    )
    .option("--relay-only", "through the relay alone: nobody else is told an address of this computer")
    .option("--no-relay-only", "directly too, where the settings say file_direct = false")
    .option("--lan", "let those on the local network find this computer, which all of them can then see")
    .option("--no-lan", "the opposite, where the settings say file_lan = true")
}
