/** Options of commands that sign: a key for this one call instead of a kept identity. keys/key-source.ts reads them. */
import { type Command, Option } from "commander"

const value = "@FILE reads a file, - reads stdin"

/** Adds the key options to a command; `signerFor` then honours them. Returns the command. */
export function withKeyOptions(command: Command): Command {
  const sources = ["nsec", "ed25519Seed", "mnemonic", "keyFd", "keyFile"]
  const add = (flags: string, text: string, key: string): void => {
    const others = sources.filter((source) => source !== key)
    command.addOption(new Option(flags, text).conflicts(others).helpGroup("Key for this call only"))
  }
  add("--key-file <path>", "a key file: age, or any of the forms below", "keyFile")
  add("--key-fd <n>", "the same, read from an open file descriptor", "keyFd")
  add("--mnemonic <words>", `12 or 24 recovery words; ${value}`, "mnemonic")
  add("--ed25519-seed <hex>", `64 hex digits; ${value}`, "ed25519Seed")
  add("--nsec <nsec>", `a nostr secret key; ${value}`, "nsec")
  command.addOption(keyTypeOption("kind of key that the words stand for").helpGroup("Key for this call only"))
  return command
}

export function keyTypeOption(text: string): Option {
  return new Option("--key-type <type>", text).choices(["ed25519", "nostr"])
}
