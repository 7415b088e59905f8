/** Commands about kez itself: doctor, config, completion, help. */
import { Argument, type Command } from "commander"
import { action } from "../run.ts"
import { withExamples } from "./help.ts"

const group = "About kez"

export function addOtherCommands(program: Command): void {
  const doctor = program
    .command("doctor")
    .description("Look for problems on this computer. The report holds no secret and can be shared.")
    .summary("look for problems on this computer")
    .option("--offline", "do not ask the DNS resolver")
    .helpGroup(group)
    .action(action(() => import("../commands/doctor.ts")))
  withExamples(doctor, "kez doctor", "kez doctor --json")

  const config = program
    .command("config")
    .description("Show the settings in force.")
    .summary("show the settings in force")
    .helpGroup(group)
  withExamples(config, "kez config show", "kez config show --origin")
  const show = config
    .command("show")
    .description("Show every setting: flag, then environment, then profile, then config.toml, then default.")
    .summary("show every setting")
    .option("--origin", "tell where each comes from")
    .action(action(() => import("../commands/config-show.ts")))
  withExamples(show, "kez config show --origin", "kez --profile work config show --origin")

  const completion = program
    .command("completion")
    .description("Print a script that completes kez commands in your shell.")
    .summary("completion for your shell")
    .addArgument(new Argument("<shell>", "your shell").choices(["bash", "zsh", "fish", "powershell"]))
    .helpGroup(group)
    .action(action(() => import("../commands/completion.ts")))
  withExamples(
    completion,
    'eval "$(kez completion bash)"',
    "kez completion zsh > ~/.zfunc/_kez",
    "kez completion fish > ~/.config/fish/completions/kez.fish",
    "kez completion powershell | Out-String | Invoke-Expression",
  )

  const help = program
    .command("help [words...]")
    .description(
      "Help on a command, or on a topic: exit-codes, environment, channels, json, chat, files, or the guide of a channel such as github.",
    )
    .summary("help on a command or a topic")
    .helpGroup(group)
    .action(action(() => import("../commands/help.ts")))
  withExamples(help, "kez help identity new", "kez help github", "kez help exit-codes")
}
