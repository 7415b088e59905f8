/** Reads by wrk: requests a second of one server. Its script asks for many paths in turn. */
import { execFile } from "node:child_process"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { promisify } from "node:util"

const run = promisify(execFile)

export interface Reads {
  readonly port: number
  readonly paths: readonly string[]
  readonly seconds: number
  /** For the script. */
  readonly folder: string
}

const connections = 64

/** Throws when an answer is not 200. */
export async function readsPerSecond({ port, paths, seconds, folder }: Reads): Promise<number> {
  const script = join(folder, `reads-${port}.lua`)
  writeFileSync(script, scriptFor(paths))
  const url = `http://127.0.0.1:${port}`
  const { stdout } = await run("wrk", ["-t1", `-c${connections}`, `-d${seconds}s`, "-s", script, url])
  const rate = /^Requests\/sec:\s+([\d.]+)$/m.exec(stdout)?.[1]
  if (rate === undefined || stdout.includes("Non-2xx") || stdout.includes("Socket errors")) throw new Error(stdout)
  return Number(rate)
}

function scriptFor(paths: readonly string[]): string {
  return `local paths = { ${paths.map((path) => JSON.stringify(path)).join(", ")} }
local requests, turn = {}, 0
function init(args)
  for i, path in ipairs(paths) do requests[i] = wrk.format("GET", path) end
end
function request()
  turn = turn % #requests + 1
  return requests[turn]
end
`
}
