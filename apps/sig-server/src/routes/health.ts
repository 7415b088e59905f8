/** Whether the process runs, whether it can do its work, and what it is. SPEC STORE-15 */
import { healthRoutes } from "@kez/server"
import type { Deps, Route } from "../route.ts"
import { version } from "../version.ts"

export function health({ storage, clock, isDraining }: Deps): readonly Route[] {
  return healthRoutes({
    name: "kez-sig-server",
    version,
    assertWritable: () => storage.assertWritable(),
    nowMs: () => clock.nowMs(),
    isDraining,
  })
}
