/** deploy/compose.yaml as Docker Compose's own loader reads it: its schema, its variables, its merging. test/peers/compose */
import { execFile } from "node:child_process"
import { join } from "node:path"
import { promisify } from "node:util"
import { findServer, skipWithout } from "./servers.ts"

const dirs = [join(import.meta.dirname, "../../.cache/test-servers")]
export const deployFolder = join(import.meta.dirname, "../../deploy")

/** For `{ skip: composePeerMissing }`. */
export const composePeerMissing: string | false = skipWithout("compose-peer", dirs)

export interface Service {
  readonly image: string
  readonly user?: string
  readonly build?: { readonly context: string; readonly dockerfile: string; readonly target: string }
  readonly entrypoint: readonly string[] | null
  readonly command: readonly string[] | null
  readonly environment?: Readonly<Record<string, string>>
  readonly read_only?: boolean
  readonly cap_drop?: readonly string[]
  readonly cap_add?: readonly string[]
  readonly security_opt?: readonly string[]
  readonly privileged?: boolean
  readonly restart?: string
  readonly stop_grace_period?: string
  readonly tmpfs?: readonly string[]
  readonly healthcheck?: { readonly test: readonly string[] }
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>
  readonly ports?: readonly { readonly host_ip?: string; readonly target: number; readonly published: string }[]
  readonly volumes?: readonly { readonly type: string; readonly source: string; readonly target: string }[]
}

export interface ComposeProject {
  readonly services: Readonly<Record<string, Service>>
  readonly volumes: Readonly<Record<string, unknown>>
}

export interface ComposeFiles {
  readonly envFile: string
  readonly profiles?: readonly string[]
  /** Names in deploy/; the usual one unless given. */
  readonly files?: readonly string[]
}

/** Throws with what the loader says. */
export async function loadCompose({
  envFile,
  profiles = [],
  files = ["compose.yaml"],
}: ComposeFiles): Promise<ComposeProject> {
  const program = findServer("compose-peer", dirs)
  if (program === undefined) throw new Error("unreachable: the test is skipped without compose-peer")
  const paths = files.map((file) => join(deployFolder, file))
  const { stdout } = await promisify(execFile)(program, [envFile, profiles.join(","), ...paths], { env: {} })
  return JSON.parse(stdout)
}
