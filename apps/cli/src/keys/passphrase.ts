/** Passphrases: from a file, a descriptor, KEZ_PASSPHRASE or the keyboard, in this order. */
import { KezError } from "@kez/core"
import { formatWords } from "@kez/core/mnemonic"
import type { Context } from "../context.ts"
import { drawRandom } from "./random.ts"
import { readFd, readFile } from "./secret-input.ts"

const flags = "--passphrase-file FILE or --passphrase-fd N, or set KEZ_PASSPHRASE"
const suggestedWords = 6
/** A passphrase with fewer characters is asked about again. */
const shortestPlain = 8

/** The passphrase that flags or the environment give, or undefined. */
export async function tryGivenPassphrase(context: Context): Promise<string | undefined> {
  const { passphraseFile, passphraseFd } = context.flags
  if (passphraseFile !== undefined)
    return lineOf("--passphrase-file", await readFile("--passphrase-file", passphraseFile))
  if (passphraseFd !== undefined) return lineOf("--passphrase-fd", await readFd("--passphrase-fd", passphraseFd))
  return context.env.passphrase
}

/** The text without its line break. (`age` reads passphrases the same way.) */
export function lineOf(flag: string, text: string): string {
  const line = text.replace(/\r?\n$/, "")
  if (line !== "") return line
  throw new KezError("usage", `Cannot use ${flag}: the passphrase is empty`, {
    hint: "To store a key without a passphrase, pass --no-passphrase.",
  })
}

/** Asks for the passphrase of an existing key. */
export function askPassphrase(context: Context, name: string, unlock = `kez identity unlock ${name}`): Promise<string> {
  if (!context.terminal.interactive) {
    throw new KezError("key.locked", `Cannot use the key of ${name}: it is locked and nobody can be asked`, {
      hint: `Pass ${flags}.\nOr unlock it beforehand: ${unlock}`,
    })
  }
  return context.terminal.askHidden({ text: `Passphrase of ${name}`, flag: flags })
}

/** A passphrase for a new key; undefined for none, which is only so by --no-passphrase or in typed words. */
export async function newPassphrase(context: Context, isUnwanted: boolean): Promise<string | undefined> {
  if (isUnwanted) return undefined
  return (await tryGivenPassphrase(context)) ?? choosePassphrase(context, flags)
}

/** Lets the person at the terminal choose; `flags` are what to pass where there is nobody. */
export async function choosePassphrase(context: Context, flags: string): Promise<string | undefined> {
  const { terminal } = context
  const suggestion = suggestPassphrase()
  const choice = await terminal.choose({
    text: "Protect the key with a passphrase",
    flag: `${flags}, or pass --no-passphrase`,
    choices: [
      ["suggested", `this one: ${suggestion}`],
      ["own", "one of my own"],
      ["none", "none"],
    ],
  })
  if (choice === "suggested") return confirmSuggestion(context, suggestion)
  return choice === "own" ? typeTwice(context) : confirmNone(context)
}

/** Six words of 11 bits each. */
function suggestPassphrase(): string {
  return formatWords(drawRandom(16)).split(" ").slice(0, suggestedWords).join("-")
}

async function confirmSuggestion({ terminal }: Context, suggestion: string): Promise<string> {
  for (;;) {
    const typed = await terminal.askHidden({ text: "Type it once, to be sure that you have it", flag: flags })
    if (
      typed
        .trim()
        .toLowerCase()
        .split(/[\s-]+/)
        .join("-") === suggestion
    )
      return suggestion
    terminal.say("That was something else. The suggestion is still above.")
  }
}

function confirmShort(terminal: Context["terminal"]): Promise<boolean> {
  terminal.say(`Fewer than ${shortestPlain} characters are guessed quickly by whoever gets a copy of the key file.`)
  return terminal.confirm({ text: "Use this passphrase all the same?", flag: flags })
}

async function typeTwice({ terminal }: Context): Promise<string> {
  for (;;) {
    const first = await terminal.askHidden({ text: "Passphrase", flag: flags })
    if (first === "") {
      terminal.say("An empty passphrase protects nothing.")
      continue
    }
    if ([...first].length < shortestPlain && !(await confirmShort(terminal))) continue
    const second = await terminal.askHidden({ text: "The same again", flag: flags })
    if (first === second) return first
    terminal.say("The two were different.")
  }
}

async function confirmNone({ terminal }: Context): Promise<undefined> {
  const wanted = "store unencrypted"
  terminal.say("Anybody who can read the file, or a copy of it, then has your identity.")
  const typed = await terminal.ask({ text: `Type "${wanted}" to go on without a passphrase`, flag: "--no-passphrase" })
  if (typed.toLowerCase() !== wanted) throw new KezError("input.cancelled", "Cancelled: nothing was stored")
  return undefined
}
