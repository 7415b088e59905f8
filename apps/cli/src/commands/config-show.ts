/** `kez config show`: the settings in force and, with --origin, which of the five places gave each. */
import type { Setting } from "../config.ts"
import type { Context } from "../context.ts"
import { printable } from "../output.ts"
import type { Outcome } from "../run.ts"
import { shortPath } from "./identity-view.ts"

const nameWidth = "public_resolvers".length + 2

export async function run(context: Context, options: { readonly origin?: boolean }): Promise<Outcome> {
  const { settings, paths, env } = context
  const { defaultPublicResolvers, defaultRelays } = await import("@kez/channels")
  const named: ReadonlyArray<readonly [name: string, setting: Setting<unknown>]> = [
    ["profile", settings.profile],
    ["color", settings.color],
    ["plain", settings.plain],
    ["no_input", settings.noInput],
    ["resolver", settings.resolver],
    ["unlock_for", settings.unlockFor],
    ["hosts", settings.hosts],
    ["brokers", settings.brokers],
    ["relays", inForce(settings.relays, defaultRelays)],
    ["stores", settings.stores],
    ["public_resolvers", inForce(settings.publicResolvers, defaultPublicResolvers)],
    ["file_relays", settings.fileRelays],
    ["file_direct", settings.fileDirect],
    ["file_lan", settings.fileLan],
    ["github_token", withoutSecret(settings.githubToken)],
  ]
  const rows = named.map(([name, { value, origin }]) => ({ name, value: value ?? null, origin }))
  const { configFile, data, state, cache, runtime } = paths
  const places = { config_file: configFile, data, state, cache, runtime }
  const lines = [
    ...rows.map(({ name, value, origin }) => {
      const shown = `${name.padEnd(nameWidth)}${printable(formatValue(value))}`
      return options.origin === true ? `${shown.padEnd(nameWidth + 28)} ${origin}` : shown
    }),
    "",
    ...Object.entries(places).map(
      ([name, path]) => `${name.padEnd(nameWidth)}${printable(shortPath(env.userHome, path))}`,
    ),
  ]
  return { schema: "kez.config/1", data: { settings: rows, paths: places }, text: lines.join("\n") }
}

function formatValue(value: unknown): string {
  if (value === null || value === undefined) return "-"
  if (Array.isArray(value)) return value.length === 0 ? "-" : value.join(",")
  if (typeof value === "object") {
    const pairs = Object.entries(value).map(([host, base]) => `${host}=${base}`)
    return pairs.length === 0 ? "-" : pairs.join(",")
  }
  return String(value)
}

/** An empty list means the usual ones. */
function inForce({ value, origin }: Setting<readonly string[]>, usual: readonly string[]): Setting<readonly string[]> {
  return { value: value.length === 0 ? usual : value, origin }
}

/** This output is made to be shown to others. */
function withoutSecret({ value, origin }: Setting<string | undefined>): Setting<string | undefined> {
  return { value: value === undefined ? undefined : "set", origin }
}
