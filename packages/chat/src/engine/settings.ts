/** What the person chose. */
import type { EngineSettings } from "./engine.ts"
import { keys } from "./row.ts"
import type { Unit } from "./unit.ts"

const usual: EngineSettings = { readReceipts: true, typing: true }

export async function settingsOf(unit: Unit): Promise<EngineSettings> {
  return { ...usual, ...(await unit.get<Partial<EngineSettings>>(keys.settings)) }
}
