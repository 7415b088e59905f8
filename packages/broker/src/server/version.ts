/** Which nats-server is fit, and which one is fetched. */
import { execFile } from "node:child_process"
import { promisify } from "node:util"
import { versionMs } from "../limits.ts"

/** Below it: no limit on consumers of a stream that can be lifted, and advisories that are not fixed. */
export const minimumVersion = "2.15.1"

type Triple = readonly [number, number, number]

/** Whether a version like `2.15.1` or `v2.15.1` is fit. A pre-release of the minimum is not. */
export function isFitVersion(text: string): boolean {
  const match = /^v?(\d{1,4})\.(\d{1,4})\.(\d{1,4})(-[\w.-]+)?$/.exec(text)
  if (match === null) return false
  const order = compare(tripleOf(match), tripleOf(minimumVersion.match(/(\d+)\.(\d+)\.(\d+)/)))
  return order > 0 || (order === 0 && match[4] === undefined)
}

/** What `nats-server --version` says: `2.15.1`; undefined when the file is no nats-server or does not run. */
export async function versionOf(program: string): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)(program, ["--version"], { timeout: versionMs, encoding: "utf8" })
    return /^nats-server: v(\S{1,40})\s*$/.exec(stdout)?.[1]
  } catch {
    return undefined
  }
}

function tripleOf(match: readonly (string | undefined)[] | null): Triple {
  return [Number(match?.[1]), Number(match?.[2]), Number(match?.[3])]
}

function compare(a: Triple, b: Triple): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2]
}
