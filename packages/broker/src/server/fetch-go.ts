/** nats-server from its Go module, built here: the checksum database and our own pins say that it is the one. */
import { execFile } from "node:child_process"
import { join } from "node:path"
import { promisify } from "node:util"
import { KezError } from "@kez/core"
import { goInstallMs, versionMs } from "../limits.ts"
import { keepProgram, withAttempt } from "./cache.ts"
import { goModule, goModules, minimumGo, pinnedVersion } from "./pins.ts"

type Environment = Readonly<Record<string, string | undefined>>

/** Variables of Go that change what is built, or for whom, or what is taken on trust. */
const removed = ["GOOS", "GOARCH", "GOARM", "GOEXPERIMENT", "GOPRIVATE", "GOINSECURE", "GONOSUMCHECK", "GODEBUG"]
const fixed = {
  // Not empty: then Go would take them from its settings file. None may name -mod, -modfile, -overlay or -toolexec.
  GOFLAGS: "-trimpath",
  GONOSUMDB: "none.invalid",
  GOSUMDB: "sum.golang.org",
  GOWORK: "off",
  GO111MODULE: "on",
  CGO_ENABLED: "0",
} as const

/** Whether a Go is here that can build it, or fetch the Go that can. */
export async function hasFitGo(env: Environment): Promise<boolean> {
  try {
    const { stdout } = await run("go", ["env", "GOVERSION"], { env, timeoutMs: versionMs })
    const match = /^go(\d+)\.(\d+)/.exec(stdout)
    const [major, minor] = [Number(match?.[1]), Number(match?.[2])]
    return major > minimumGo[0] || (major === minimumGo[0] && minor >= minimumGo[1])
  } catch {
    return false
  }
}

/** Builds the pinned version into the cache and returns its path. Throws `broker.missing` or `broker.checksum`. */
export function fetchByGo(folder: string, env: Environment): Promise<string> {
  return withAttempt(folder, async (attempt) => {
    const kept = Object.entries(env).filter(([name]) => !removed.includes(name))
    const goEnv = { ...Object.fromEntries(kept), ...fixed, GOBIN: attempt }
    try {
      await run("go", ["install", `${goModule}@v${pinnedVersion}`], {
        env: goEnv,
        timeoutMs: goInstallMs,
        cwd: attempt,
      })
    } catch (cause) {
      throw new KezError("broker.missing", `Cannot build nats-server ${pinnedVersion}: go install failed`, { cause })
    }
    const program = join(attempt, process.platform === "win32" ? "nats-server.exe" : "nats-server")
    const { stdout } = await run("go", ["version", "-m", program], { env: goEnv, timeoutMs: versionMs })
    assertModules(stdout)
    return keepProgram(folder, program)
  })
}

/** Compares what the program says it is made of with the pins. `go version -m` reads the file and does not run it. */
export function assertModules(told: string): void {
  const modules = told
    .split("\n")
    .map((line) => line.trim().replaceAll("\t", " "))
    .filter((line) => /^(?:mod|dep|=>) /.test(line))
  const isSame = modules.length === goModules.length && goModules.every((pin) => modules.includes(pin))
  if (!isSame) {
    throw new KezError(
      "broker.checksum",
      "Cannot use the nats-server that Go built: its modules are not the pinned ones",
    )
  }
}

interface RunOptions {
  readonly env: Environment
  readonly timeoutMs: number
  readonly cwd?: string
}

function run(
  program: string,
  args: readonly string[],
  { env, timeoutMs, cwd }: RunOptions,
): Promise<{ stdout: string }> {
  const options = {
    env: { ...env },
    timeout: timeoutMs,
    encoding: "utf8",
    ...(cwd === undefined ? {} : { cwd }),
  } as const
  return promisify(execFile)(program, args, options)
}
