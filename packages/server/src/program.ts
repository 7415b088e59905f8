/** A server as a command: exit codes, its run until a signal, and the question whether it is ready. */
import { once } from "node:events"
import { KezError } from "@kez/core"
import { createLog, errorFields, type Log, type LogLevel } from "./log.ts"

/** Prints a line to stdout. Exit code 0. */
export function say(text: string): number {
  process.stdout.write(`${text}\n`)
  return 0
}

/** Prints a line to stderr. */
export function tell(program: string, text: string): void {
  process.stderr.write(`${program}: ${text}\n`)
}

/** Resolves to the exit code: that of `work`, 1 for what failed, 2 for what was not written as it should be. */
export async function exitCodeOf(program: string, work: () => Promise<number>): Promise<number> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof KezError)) throw error
    tell(program, `${error.message} [${error.code}]`)
    if (error.hint !== undefined) tell(program, `hint: ${error.hint}`)
    return error.code === "usage" || error.code === "input.unreadable" ? 2 : 1
  }
}

/** Starts a server and stops it in order at SIGTERM or SIGINT. */
export async function runUntilSignal(
  { program, level }: { readonly program: string; readonly level: LogLevel },
  start: (log: Log) => Promise<{ stop(): Promise<void> }>,
): Promise<number> {
  const log = createLog({ name: program, level })
  process.on("uncaughtExceptionMonitor", (error) => log.fatal(errorFields(error), "a defect of the program"))
  const stopped = Promise.race([once(process, "SIGTERM"), once(process, "SIGINT")])
  const running = await start(log)
  await stopped
  // Whoever asks twice does not want to wait.
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => process.exit(1))
  await running.stop()
  return 0
}

const healthTimeoutMs = 5_000

/** Asks /readyz of a server on this machine and shows the answer. Throws `net.refused`. */
export async function checkHealth({ host, port }: { readonly host: string; readonly port: number }): Promise<number> {
  const name = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "[::1]" : host.includes(":") ? `[${host}]` : host
  try {
    const answer = await fetch(`http://${name}:${port}/readyz`, { signal: AbortSignal.timeout(healthTimeoutMs) })
    say((await answer.text()).trimEnd())
    return answer.ok ? 0 : 1
  } catch (cause) {
    throw new KezError("net.refused", `Cannot reach ${name} port ${port}: nothing answers there`, {
      cause,
      hint: "Is the server running, with this host and port?",
    })
  }
}
