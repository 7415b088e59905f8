/** `invite`: an admin makes codes with which others may register. */
import { KezError } from "@kez/core"
import { makeInvitation } from "../directory/invitations.ts"
import { usualInvitationDays } from "../limits.ts"
import type { CommandDeps, Handler } from "./command.ts"

/** An admin is whoever's chain has one of the keys of the settings as its primary now. A device of an admin is enough: no primary is at hand every day. */
export function invite({ admins, standings, database, nowSeconds }: CommandDeps): Handler<"invite"> {
  return async (caller, { header: { count } }) => {
    const { replay, isComplete } = await standings.look(caller.chain)
    if (replay === undefined || !isComplete || replay.status !== "ok" || !admins.includes(replay.state.primary)) {
      throw new KezError("auth.refused", "Cannot make invitations: this person is no admin of the server", {
        hint: "Whoever runs the server names the primary key of an admin in the setting `admins`.",
      })
    }
    const now = nowSeconds()
    const codes = await database.transact(async (sql) => {
      const made: string[] = []
      for (let at = 0; at < count; at++) {
        made.push(
          await makeInvitation(sql, {
            uses: 1,
            expiresAt: now + usualInvitationDays * 86_400,
            now,
            by: replay.state.primary,
          }),
        )
      }
      return made
    })
    return { answer: { codes } }
  }
}
