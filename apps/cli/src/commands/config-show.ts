/** `kez config show`: the settings in force and, with --origin, which of the five places gave each. */
import type { Setting } from "../config.ts"
import type { Context } from "../context.ts"
import { printable } from "../output.ts"
import type { Outcome } from "../run.ts"
import { shortPath } from "./identity-view.ts"

export async function run(context: Context, options: { readonly origin?: boolean }): Promise<Outcome> {
  const { settings, paths, env } = context
  const named: ReadonlyArray<readonly [name: string, setting: Setting<unknown>]> = [
    ["profile", settings.profile],
    ["color", settings.color],
    ["plain", settings.plain],
    ["no_input", settings.noInput],
    ["resolver", settings.resolver],
    ["unlock_for", settings.unlockFor],
  ]
  const rows = named.map(([name, { value, origin }]) => ({ name, value: value ?? null, origin }))
  const places = { config_file: paths.configFile, data: paths.data, state: paths.state, runtime: paths.runtime }
  const lines = [
    ...rows.map(({ name, value, origin }) => {
      const shown = printable(formatValue(value))
      return options.origin === true ? `${name.padEnd(12)}${shown.padEnd(28)}${origin}` : `${name.padEnd(12)}${shown}`
    }),
    "",
    ...Object.entries(places).map(([name, path]) => `${name.padEnd(12)}${printable(shortPath(env.userHome, path))}`),
  ]
  return { schema: "kez.config/1", data: { settings: rows, paths: places }, text: lines.join("\n") }
}

function formatValue(value: unknown): string {
  if (value === null) return "-"
  if (Array.isArray(value)) return value.length === 0 ? "-" : value.join(",")
  return String(value)
}
