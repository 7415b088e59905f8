/** How one identity looks: its JSON, and its lines for people. */
import type { Context } from "../context.ts"
import { findCurrentName, type IdentityRecord } from "../keys/identities.ts"
import { paint } from "../output.ts"

/** `data` of kez.identity/1. */
export interface IdentityView extends IdentityRecord {
  readonly is_current: boolean
  readonly protection: "passphrase" | "none" | "not_held"
  readonly key_file?: string
  /** Unix seconds. */
  readonly unlocked_until?: number
}

export interface IdentityState {
  readonly keyFile?: { readonly path: string; readonly isEncrypted: boolean } | undefined
  readonly unlockedUntil?: number | undefined
}

export function viewOf(context: Context, record: IdentityRecord, state: IdentityState): IdentityView {
  const { keyFile, unlockedUntil } = state
  return {
    ...record,
    is_current: findCurrentName(context.paths) === record.name,
    protection: keyFile === undefined ? "not_held" : keyFile.isEncrypted ? "passphrase" : "none",
    ...(keyFile === undefined ? {} : { key_file: keyFile.path }),
    ...(unlockedUntil === undefined ? {} : { unlocked_until: unlockedUntil }),
  }
}

/** Several lines, for `new`, `restore` and `show`. */
export function formatIdentityView(context: Context, view: IdentityView): string {
  const { color } = context.terminal
  const rows: ReadonlyArray<readonly [string, string]> = [
    ["identity", view.identity],
    ["key file", keyFileText(context, view)],
    ["words", wordsText(view)],
    ["created", view.created_at],
    ...(view.unlocked_until === undefined ? [] : [["unlocked", untilText(view.unlocked_until)] as const]),
  ]
  const title = `${paint(color, "bold", view.name)}${view.is_current ? "  (in use)" : ""}`
  return [title, ...rows.map(([name, text]) => `  ${name.padEnd(10)}${text}`)].join("\n")
}

function keyFileText({ env }: Context, view: IdentityView): string {
  if (view.key_file === undefined) return "not on this computer"
  const path = shortPath(env.userHome, view.key_file)
  return view.protection === "none" ? `${path}, NOT ENCRYPTED` : path
}

export function wordsText({ words, backup }: IdentityRecord): string {
  if (words === undefined) return "none"
  return backup === "confirmed" ? `${words}, paper checked` : `${words}, paper NOT CHECKED`
}

/** Local time without the date, which is today or tomorrow. */
export function untilText(unixSeconds: number): string {
  const time = new Date(unixSeconds * 1_000)
  return `until ${String(time.getHours()).padStart(2, "0")}:${String(time.getMinutes()).padStart(2, "0")}`
}

/** `~` for the home directory. */
export function shortPath(home: string | undefined, path: string): string {
  return home !== undefined && home.length > 1 && path.startsWith(`${home}/`) ? `~${path.slice(home.length)}` : path
}
