/** The name of a new identity: the one given, or asked for until it is one that can be used. */
import type { Context } from "../context.ts"
import { hasCode } from "../fault.ts"
import { assertFree } from "../keys/identities.ts"
import { isName, nameRule } from "../paths.ts"

export interface NameQuestion {
  /** What stands on the command line. */
  readonly given?: string | undefined
  /** What to pass where nobody can be asked. */
  readonly flag: string
  readonly fallback: string
}

/** A name that is free. Throws `usage` and `store.exists` only for a given one where nobody can be asked. */
export async function chooseName(context: Context, { given, flag, fallback }: NameQuestion): Promise<string> {
  const { terminal } = context
  for (let name = given; ; name = undefined) {
    name ??= await terminal.ask({ text: "Name for this identity on this computer", flag, fallback })
    if (!terminal.interactive) {
      assertFree(context.paths, name)
      return name
    }
    const fault = whyUnusable(context, name)
    if (fault === undefined) return name
    terminal.say(fault)
  }
}

function whyUnusable({ paths }: Context, name: string): string | undefined {
  if (!isName(name)) return `That cannot be a name: expected ${nameRule}.`
  try {
    assertFree(paths, name)
    return undefined
  } catch (error) {
    if (hasCode(error, "store.exists")) return `The name ${name} is taken.`
    throw error
  }
}
