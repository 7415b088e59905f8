/** The command `kez graph`. */
import type { Command } from "commander"
import { action } from "../run.ts"
import { withExamples } from "./help.ts"
import { withLookingOptions } from "./verify.ts"

export function addGraphCommand(program: Command): void {
  const graph = program
    .command("graph [id]")
    .description(
      "Show a whole identity from any part of it: an account, a key, a chain id, or an identity on this computer. Every account that its chain lists is looked at, all at once; a tree, and a table that says the same.",
    )
    .summary("show a whole identity")
    .helpGroup("Proofs")
    .option("--svg", "a picture that stands alone, light and dark")
    .option("--html", "one page with the picture and the table")
    .option("--dot", "a description for Graphviz")
    .option("--out <file>", "write to a file; its ending chooses the form where none is named")
    .option("--force", "write over an existing file")
    .option("--offline", "ask nobody; only what this computer holds")
    .action(action(() => import("../commands/graph.ts")))
  withExamples(
    withLookingOptions(graph),
    "kez graph dns:example.org",
    "kez graph ed25519:9f2c… --chain kez-sigchain.jsonl",
    "kez graph github:login --out login.html",
    "kez graph --json",
  )
}
