/** Looks at both people as anybody would: each by the eyes of the other. */
import { KezError } from "@kez/core"
import { type PeoplePlan, people, runKez } from "./people.ts"
import { subjectOf } from "./site.ts"

/** Throws `proof.not_found` with what was seen instead. */
export async function checkPeople(plan: PeoplePlan): Promise<void> {
  const [alice, bob] = people
  await Promise.all([checkPerson(plan, alice, bob), checkPerson(plan, bob, alice)])
}

async function checkPerson(plan: PeoplePlan, name: string, reader: string): Promise<void> {
  const subjects = [subjectOf(name), `kez:${name}@localhost`]
  const { valid, total, verdicts } = await runKez(plan, reader, ["verify", "id", ...subjects])
  if (valid === subjects.length && total === subjects.length) return
  throw new KezError("proof.not_found", `Cannot see the proofs of ${name}: ${JSON.stringify(verdicts).slice(0, 2_000)}`)
}
