/** Whether the process runs, whether it can do its work, and what it is. */
import { healthRoutes } from "@kez/server"
import type { Deps, Route } from "../route.ts"
import { version } from "../version.ts"

export function health({ database, clock, chat, isDraining }: Deps): readonly Route[] {
  return healthRoutes({
    name: "kez-chat-server",
    version,
    assertWritable: () => database.assertWritable(),
    nowMs: () => clock.nowMs(),
    isDraining,
    // Handles are served without a broker too, so it is told and does not count.
    told: () => (chat === undefined ? {} : { broker: { ok: chat.isReady() } }),
  })
}
