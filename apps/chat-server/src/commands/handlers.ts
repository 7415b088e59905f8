/** Which function does which command. */

import type { CommandDeps, Handlers } from "./command.ts"
import { commit, welcome } from "./commits.ts"
import { archivePut, archiveRead, history } from "./history.ts"
import { invite } from "./invitations.ts"
import { keyPackagesPut, keyPackagesTake } from "./key-packages.ts"
import { live, send } from "./messages.ts"
import { cursor, session } from "./sessions.ts"

export function createHandlers(deps: CommandDeps): Handlers {
  return {
    session: session(deps),
    cursor: cursor(deps),
    "key-packages-put": keyPackagesPut(deps),
    "key-packages-take": keyPackagesTake(deps),
    send: send(deps),
    commit: commit(deps),
    welcome: welcome(deps),
    history: history(deps),
    live: live(deps),
    "archive-put": archivePut(deps),
    "archive-read": archiveRead(deps),
    invite: invite(deps),
  }
}
