/** The command kez-chat-server: what each word does, and which exit code it ends with. 0 done, 1 failed, 2 not written as it should be. */
import { join } from "node:path"
import { checkHealth, exitCodeOf, runUntilSignal, say, tell } from "@kez/server/program"
import { type CommandLine, parseCommandLine } from "./command-line.ts"
import { type Config, toConfig } from "./config.ts"
import { usualInvitationDays } from "./limits.ts"
import { program, settingTable } from "./settings.ts"
import { version } from "./version.ts"

type Env = Readonly<Record<string, string | undefined>>

/** Resolves to the exit code. */
export function run(args: readonly string[], env: Env): Promise<number> {
  return exitCodeOf(program, () => runCommand(parseCommandLine(args), env))
}

async function runCommand(line: CommandLine, env: Env): Promise<number> {
  if (line.command === "version") return say(`${program} ${version}`)
  if (line.command === "help") return say(helpText())
  const values = settingTable.readValues({ flags: line.settings, env, file: line.config ?? env["KEZ_CHAT_CONFIG"] })
  if (line.printsConfig) return say(settingTable.formatValues(values).trimEnd())
  const config = toConfig(values)
  if (line.checksConfig) return say("the configuration is right")
  switch (line.command) {
    case "serve":
      return runServer(config)
    case "invite":
      return invite(config, line)
    case "broker-config": {
      const { writeBrokerConfig } = await import("./broker/config-command.ts")
      const { file, keysFolder } = writeBrokerConfig(line.broker, join(config.storage.dataFolder, "broker"))
      tell(program, `keys are in ${keysFolder}: give it to the server as --broker-keys, and to nobody else`)
      return say(file)
    }
    case "healthcheck":
      return checkHealth(config)
  }
}

async function runServer(config: Config): Promise<number> {
  const { serve } = await import("./serve.ts")
  return runUntilSignal({ program: program, level: config.logLevel }, (log) => serve(config, log))
}

/** Whoever can reach the database is an admin already; no password is made for it. */
async function invite({ storage }: Config, { uses = 1, days = usualInvitationDays }: CommandLine): Promise<number> {
  const { openDatabase } = await import("./storage/open-database.ts")
  const { makeInvitation } = await import("./directory/invitations.ts")
  const database = await openDatabase(storage, nowSeconds)
  try {
    const now = nowSeconds()
    const code = await database.transact((sql) =>
      makeInvitation(sql, { uses, expiresAt: now + days * 86_400, now, by: "operator" }),
    )
    return say(code)
  } finally {
    await database.close()
  }
}

const nowSeconds = (): number => Math.floor(Date.now() / 1_000)

function helpText(): string {
  const lines = settingTable.names.map((name) => {
    const { about, usual } = settingTable.settingOf(name)
    return `  ${settingTable.flagOf(name).padEnd(22)} ${about}${usual === undefined || usual === "" ? "" : ` (${usual})`}`
  })
  return `${program} [COMMAND] [--config FILE] [SETTINGS]

Commands:
  serve                  runs the server; this is what happens without a command
  invite                 makes an invitation and shows its code, once; --uses N (1), --days N (${usualInvitationDays})
  broker-config          writes keys and the configuration of a nats-server that something else starts, and shows its path;
                         --out FOLDER (broker in the data folder), --seen-at FOLDER (as nats-server sees it), --name NAME,
                         --client-listen HOST:PORT (127.0.0.1:4222), --websocket-listen HOST:PORT (127.0.0.1:8443),
                         --origins URL,URL, --tls-cert FILE, --tls-key FILE, --monitor-port N (8222),
                         --store-mib N (the most that messages may be; else three quarters of what is free at each start)
  healthcheck            asks the running server whether it is ready
  version, help

Settings, each also as KEZ_CHAT_NAME in the environment and as name in the TOML file:
${lines.join("\n")}

  --print-config         shows the settings in force, and where each comes from
  --check-config         only checks them: exit code 0 or 2`
}
