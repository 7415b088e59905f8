/** Bounds of `npm start`. */

/** Until a server is ready. */
export const readyMs = 30_000
/** Between two looks whether it is. */
export const pollMs = 25
/** From SIGTERM to SIGKILL. */
export const stopMs = 15_000
/** A terminal's Ctrl-C comes once from the terminal and once from npm: only a later one is a second one. */
export const secondSignalMs = 1_000
/** One `kez` command of the people's making: two scrypts on a slow computer are in it. */
export const commandMs = 60_000
/** Of a log, when its process has ended. */
export const shownLogLines = 12
/** A log that is larger is put aside at the next start. nats-server turns over its own. */
export const maxLogBytes = 4_194_304
/** A signed head of a chain lives 7 days. */
export const headDays = 3
/** What was being started when all was to end may take so long to be there, and to be stopped. */
export const settleMs = 5_000
