/** The commands of `kez sigchain`. */
import { type Command, Option } from "commander"
import { action } from "../run.ts"
import { withExamples } from "./help.ts"
import { withKeyOptions } from "./key-options.ts"
import { collect } from "./verify.ts"

export function addSigchainCommands(program: Command): void {
  const sigchain = program
    .command("sigchain")
    .description("The signed history of your identity: which accounts and devices are yours, and which are no longer.")
    .summary("the signed history of your identity")
    .helpGroup("Proofs")
  withExamples(
    sigchain,
    "kez sigchain add dns:example.org",
    "kez sigchain revoke github:old-login",
    "kez sigchain publish --store https://sig.example.org",
    "kez sigchain show",
  )
  addSubjects(sigchain)
  addKeys(sigchain)
  addLooking(sigchain)
  addMoving(sigchain)
  addPublishing(sigchain)
}

function addSubjects(sigchain: Command): void {
  const add = sigchain
    .command("add <subject>")
    .description("List an account in your chain, with the claim that proves it. The first event begins the chain.")
    .summary("list an account")
    .option("--subject-id <id>", "the account's permanent number, such as a DID or GitHub's numeric id")
    .option("--proof <claim>", "a file with the claim, or its digest (default: your newest claim for it)")
    .action(action(() => import("../commands/sigchain-add.ts")))
  withExamples(
    withKeyOptions(add),
    "kez sigchain add dns:example.org",
    "kez sigchain add github:login --subject-id 1234567 --proof kez.md",
  )
  const revoke = sigchain
    .command("revoke <subject>")
    .description("Say that an account is not yours any more. Every reader of the chain then says revoked.")
    .summary("say that an account is not yours any more")
    .action(action(() => import("../commands/sigchain-revoke.ts")))
  withExamples(
    withKeyOptions(revoke),
    "kez sigchain revoke github:old-login",
    "kez sigchain revoke dns:example.org --json",
  )
}

function addKeys(sigchain: Command): void {
  const addDevice = sigchain
    .command("add-device <name>")
    .description("Let another identity on this computer speak for yours as a device. Its key signs that it wants to.")
    .summary("let another key speak for you")
    .action(action(() => import("../commands/sigchain-add-device.ts")))
  withExamples(withKeyOptions(addDevice), "kez sigchain add-device laptop")
  const revokeDevice = sigchain
    .command("revoke-device <keys...>")
    .description(
      "Take devices out, and the devices that they added. A revoked key never returns. A former primary can be named too: devices that it " +
        "added stay, and what it revoked on branches that lost is lifted, now and later; it asks before it lifts anything.",
    )
    .summary("take devices out")
    .option("--keep <keys...>", "devices to keep although a revoked one added them")
    .option("--yes", "lift revocations unasked, and revoke even the key that you committed to")
    .action(action(() => import("../commands/sigchain-revoke-device.ts")))
  withExamples(
    withKeyOptions(revokeDevice),
    "kez sigchain revoke-device laptop",
    "kez sigchain revoke-device ed25519:9f2c… --keep phone",
  )
  const setNext = sigchain
    .command("set-next [key]")
    .description(
      "Commit to the key that alone may become your next primary. Losing that key costs the ability to rotate, not the identity.",
    )
    .summary("commit to your next primary key")
    .option("--commitment <digest>", "the commitment itself, for a key that is on no computer")
    .option("--yes", "do not ask first: it cannot be undone")
    .action(action(() => import("../commands/sigchain-set-next.ts")))
  withExamples(withKeyOptions(setNext), "kez sigchain set-next safe", "kez sigchain set-next --commitment sha256:41ab…")
  const rotate = sigchain
    .command("rotate <name>")
    .description(
      "Make another identity on this computer your primary key. Accounts and devices stay, but where somebody has revoked the key that " +
        "you committed to: then it goes back to before that, and what came after is left behind, with the accounts and devices that it added.",
    )
    .summary("replace the primary key")
    .option("--next <key>", "which key alone may follow the new one: a name, a key, or sha256:…")
    .option("--keep-revocations", "where it goes back, sign the revocations that it leaves behind again")
    .option("--yes", "do not ask before events are left behind")
    .action(action(() => import("../commands/sigchain-rotate.ts")))
  withExamples(withKeyOptions(rotate), "kez sigchain rotate safe", "kez sigchain rotate safe --next spare")
  const settle = sigchain
    .command("settle")
    .description("Show the branches of a fork, or keep one of them with --keep.")
    .summary("decide a fork")
    .option("--keep <digest>", "an event of the branch to keep")
    .option("--keep-revocations", "sign revocations of rejected branches again on the one that is kept")
    .option("--lift <digests...>", "revocations of losing branches to lift")
    .action(action(() => import("../commands/sigchain-settle.ts")))
  withExamples(withKeyOptions(settle), "kez sigchain settle", "kez sigchain settle --keep sha256:41ab09c2…")
}

function addLooking(sigchain: Command): void {
  const show = sigchain
    .command("show [id]")
    .description("Show a chain: yours, or that of a chain id, a key or an identity on this computer.")
    .summary("show a chain")
    .action(action(() => import("../commands/sigchain-show.ts")))
  withExamples(show, "kez sigchain show", "kez sigchain show ed25519:9f2c… --json")
  const head = sigchain
    .command("head")
    .description("Sign where your chain ends, so that nobody can hide its newest events for long.")
    .summary("sign where your chain ends")
    .option("--expires <time>", "how long it holds, at most 7d (default: 7d)")
    .option("--out <file>", "write to a file instead of stdout")
    .option("--force", "write over an existing file")
    .action(action(() => import("../commands/sigchain-head.ts")))
  withExamples(withKeyOptions(head), "kez sigchain head", "kez sigchain head --expires 1d --out head.json")
}

function addMoving(sigchain: Command): void {
  const exporting = sigchain
    .command("export [id]")
    .description("Print a chain as a document that readers can fetch.")
    .summary("print a chain as a document")
    .addOption(new Option("--format <form>", "jsonl or compact (default: jsonl)").choices(["jsonl", "compact"]))
    .option("--branch <digest>", "the branch that holds this event, instead of the winning one")
    .option("--out <file>", "write to a file instead of stdout")
    .option("--force", "write over an existing file")
    .action(action(() => import("../commands/sigchain-export.ts")))
  withExamples(
    exporting,
    "kez sigchain export --out kez-sigchain.jsonl",
    "kez sigchain export ed25519:9f2c… --format compact",
  )
  const importing = sigchain
    .command("import <file>")
    .description("Take a chain document or a signed head in. Every event is checked; forks are kept as evidence.")
    .summary("take a chain in; - is stdin")
    .action(action(() => import("../commands/sigchain-import.ts")))
  withExamples(
    importing,
    "kez sigchain import kez-sigchain.jsonl",
    "curl https://example.org/.well-known/kez-sigchain.jsonl | kez sigchain import -",
  )
}

function addPublishing(sigchain: Command): void {
  const publish = withStoreOptions(sigchain.command("publish"))
    .description(
      "Put your chain where readers look for it: into stores, onto a web site, onto nostr; or print the lines for your zones. What a place has and this computer lacks is brought here first.",
    )
    .summary("put your chain where readers look")
    .addOption(new Option("--to <place...>", "where (default: your stores)").choices(["sig", "web", "dns", "nostr"]))
    .option("--web <dir>", "the folder that your web server serves; writes .well-known/kez-sigchain.jsonl there")
    .option("--url <url>", "for --to dns: where your chain lies (default: your first store, else your domain)")
    .option("--credential-file <path>", "for --to nostr: file with the nsec; - is stdin")
    .action(action(() => import("../commands/sigchain-publish.ts")))
  withExamples(
    withKeyOptions(publish),
    "kez sigchain publish --store https://sig.example.org",
    "kez sigchain publish --web /var/www/html",
    "kez sigchain publish --to sig nostr",
    "kez sigchain publish --to dns --url https://example.org/.well-known/kez-sigchain.jsonl",
  )
  const fetching = withStoreOptions(sigchain.command("fetch [id]"))
    .description("Bring a chain here: by chain id, key, name of an identity, or dns:… Forks are kept as evidence.")
    .summary("bring a chain here")
    .option("--from <url>", "a store or a chain document to ask instead; may be repeated", collect, [])
    .action(action(() => import("../commands/sigchain-fetch.ts")))
  withExamples(
    fetching,
    "kez sigchain fetch ed25519:9f2c…",
    "kez sigchain fetch dns:example.org",
    "kez sigchain fetch sha256:41ab… --from https://sig.example.org",
  )
  const sync = withStoreOptions(sigchain.command("sync"))
    .description("Make your chain one in all stores and here: what any of them has, all have afterwards.")
    .summary("make your chain one everywhere")
    .action(action(() => import("../commands/sigchain-sync.ts")))
  withExamples(withKeyOptions(sync), "kez sigchain sync", "kez sigchain sync --store https://sig.example.org --json")
  const watch = withStoreOptions(sigchain.command("watch [id]"))
    .description("Say what changes in a chain as it happens. It ends with Ctrl-C.")
    .summary("say what changes in a chain")
    .action(action(() => import("../commands/sigchain-watch.ts")))
  withExamples(watch, "kez sigchain watch ed25519:9f2c…", "kez sigchain watch sha256:41ab… --json")
}

function withStoreOptions(command: Command): Command {
  return command
    .option("--store <url>", "a store to ask too; may be repeated (default: stores of the settings)", collect, [])
    .option("--resolver <server>", "DNS server: 1.2.3.4, [::1]:53, or https://… for DNS over HTTPS")
    .option("--timeout <seconds>", "how long one place may take (default: 10)")
}
