/** The places in a process of their own, so that their work is not the product's. Started by bench/channels.ts. */
import { startWorld } from "./world.ts"

export type Command = "counts" | "forget"

const [count, latencyMs] = process.argv.slice(2).map(Number)
const { readCounts, forgetCounts, ...world } = await startWorld(count ?? 0, latencyMs ?? 0)
process.on("message", (command: Command) => {
  if (command === "forget") forgetCounts()
  process.send?.(readCounts())
})
process.on("disconnect", () => process.exit())
process.send?.(world)
