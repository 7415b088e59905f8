/** All scenarios of the cross-test in their order; they are chosen by their group. */
import { agents } from "./agents.ts"
import { chains } from "./chains.ts"
import { claims } from "./claims.ts"
import { classic } from "./classic.ts"
import { codes } from "./codes.ts"
import { forks } from "./forks.ts"
import { goingBack } from "./going-back.ts"
import { identities } from "./identities.ts"
import { publicSets } from "./public.ts"
import { refused } from "./refusals.ts"
import type { Scenario } from "./scenario.ts"
import { stores } from "./stores.ts"
import { vectors } from "./vectors.ts"

export interface Numbered extends Scenario {
  readonly number: number
  readonly group: string
}

const groups = {
  classic,
  identities,
  agents,
  claims,
  chains,
  forks,
  "going-back": goingBack,
  refused,
  codes,
  stores,
  vectors,
  public: publicSets,
}

export const groupNames: readonly string[] = Object.keys(groups)

export const allScenarios: readonly Numbered[] = Object.entries(groups)
  .flatMap(([group, list]: readonly [string, readonly Scenario[]]) => list.map((scenario) => ({ ...scenario, group })))
  .map((scenario, i) => ({ ...scenario, number: i + 1 }))
