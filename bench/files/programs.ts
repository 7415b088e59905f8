/** The programs that files are moved with. What scripts/setup-test-servers.sh installs has to be there with CI=true. */
import { spawnSync } from "node:child_process"
import { join } from "node:path"
import { ROOT } from "../../test/support/iroh.ts"
import { findServer } from "../../test/support/servers.ts"

export interface Programs {
  /** Built now if it can be. */
  readonly iroh: string | undefined
  readonly croc: string | undefined
  readonly b3sum: string | undefined
}

const installed = join(ROOT, ".cache/test-servers")

export function findPrograms(): Programs {
  const built = spawnSync("sh", [join(ROOT, "scripts/iroh.sh")], { encoding: "utf8" })
  return {
    iroh: built.status === 0 ? built.stdout.trim() : undefined,
    croc: findServer("croc-peer", [installed]),
    b3sum: findServer("b3sum", [join(installed, "bin")]),
  }
}
