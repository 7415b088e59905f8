/** What may be sent: paths as somebody gave or typed them, and why something of them is left out. */
import { realpath, stat } from "node:fs/promises"
import { basename, join, resolve, sep } from "node:path"
import { KezError } from "@kez/core"
import type { Context } from "../context.ts"
import { printable, readingFailure } from "../output.ts"

/** A path that was typed where no shell reads it: quotes around it, `~/`, and spaces that a terminal escaped when a file was dropped there. */
export function typedPath(typed: string, home: string | undefined): string {
  const text = typed.trim()
  const [, quoted] = /^'([^']*)'$/.exec(text) ?? /^"([^"]*)"$/.exec(text) ?? []
  const bare = quoted ?? text.replaceAll(/\\([ '"()&\\])/g, "$1")
  return home !== undefined && (bare === "~" || bare.startsWith("~/")) ? join(home, bare.slice(1)) : bare
}

/** Absolute. Throws `input.unreadable`. */
export async function readablePath(path: string): Promise<string> {
  const full = resolve(path)
  try {
    await stat(full)
    return full
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    throw new KezError("input.unreadable", `Cannot read ${printable(path, 300)}: ${readingFailure(code)}`, { cause })
  }
}

/** What the other side sees. */
export function nameOfPaths(paths: readonly string[]): string {
  const [first = "", ...more] = paths
  return more.length === 0 ? basename(first) : `${basename(first)} and ${more.length} more`
}

/** Why something in a folder was left out. */
export function skipText(why: string): string {
  switch (why) {
    case "link":
      return "a link, which is not followed"
    case "special":
      return "neither a file nor a folder"
    case "unreadable":
      return "it cannot be read"
    case "name":
      return "its name is not UTF-8"
    default:
      return "it lies too deep"
  }
}

/** Whoever shares his whole home shares his keys. */
export async function assertNoKeys({ paths }: Pick<Context, "paths">, path: string): Promise<void> {
  const real = await realpath(path)
  const own = await realpath(paths.data).catch(() => paths.data)
  if (own !== real && !own.startsWith(real.endsWith(sep) ? real : `${real}${sep}`) && !real.startsWith(`${own}${sep}`))
    return
  throw new KezError("usage", `Cannot share ${printable(path, 300)}: your keys and messages lie there`, {
    hint: "Name the folders in it that you mean.",
  })
}
