/** Finds the real servers that tests run against. They come from scripts/setup-test-servers.sh. */
import { accessSync, constants, existsSync, statSync } from "node:fs"
import { delimiter, join } from "node:path"

/** Debian keeps daemons where an ordinary PATH does not look. */
const DAEMON_DIRS = ["/usr/sbin", "/usr/local/sbin", "/sbin"]

/** The full path of a program on PATH, in `dirs` or where daemons live. */
export function findServer(name: string, dirs: readonly string[] = []): string | undefined {
  const path = (process.env["PATH"] ?? "").split(delimiter).filter((dir) => dir !== "")
  return [...dirs, ...path, ...DAEMON_DIRS].map((dir) => join(dir, name)).find(isExecutable)
}

/** For `{ skip: skipWithout("knotd") }`: false, or the reason. With CI=true such a skip fails the run. */
export function skipWithout(name: string, dirs: readonly string[] = []): false | string {
  if (findServer(name, dirs) !== undefined) return false
  return `missing server: ${name} (sh scripts/setup-test-servers.sh installs it)`
}

/** The folder of a server that is installed from npm into test/peers. */
export function peerFolder(name: string): string {
  return join(import.meta.dirname, "..", "peers", name)
}

/** Like `skipWithout`, for a server in test/peers. */
export function skipWithoutPeer(name: string): false | string {
  if (existsSync(join(peerFolder(name), "node_modules", ".kez-lock.json"))) return false
  return `missing server: ${name} (sh scripts/setup-test-servers.sh installs it)`
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}
