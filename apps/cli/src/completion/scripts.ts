/** Completion scripts. The tree stands in the script; only names of identities and profiles are asked for. */
import type { Level } from "./tree.ts"

export type Shell = "bash" | "zsh" | "fish" | "powershell"

export const scripts: Readonly<Record<Shell, (levels: readonly Level[]) => string>> = { bash, zsh, fish, powershell }

const optionsWithNames = [
  ["--identity", "identities"],
  ["--profile", "profiles"],
] as const

function wordsOf(level: Level): string {
  return [...level.commands, ...level.words, ...level.options].join(" ")
}

function pathsOf(levels: readonly Level[]): readonly string[] {
  return levels.map(({ path }) => path).filter((path) => path !== "")
}

/** Values by the option before them: those of every level by its path too, those of kez itself everywhere. */
function choicesOf(levels: readonly Level[]): ReadonlyArray<readonly [place: string, values: string]> {
  return levels.flatMap(({ path, choices }) =>
    choices.map(([option, values]) => [`${path} ${option}`.trim(), values.join(" ")] as const),
  )
}

/** The middle of the bash and zsh functions: from `words` and `current` to `path` and `reply`. */
function shellCases(levels: readonly Level[]): string {
  const names = levels.filter(({ argument }) => argument === "identity").map(({ path }) => `"${path}"`)
  return `  case "$path" in
${levels.map((level) => `    "${level.path}") reply="${wordsOf(level)}" ;;`).join("\n")}
  esac
  case "$path" in
    ${names.join("|")}) reply="$("$kez" __complete identities 2>/dev/null) $reply" ;;
  esac
  case "$previous" in
${optionsWithNames.map(([option, what]) => `    ${option}) reply="$("$kez" __complete ${what} 2>/dev/null)" ;;`).join("\n")}
${choicesOf(levels.filter(({ path }) => path === ""))
  .map(([option, values]) => `    ${option}) reply="${values}" ;;`)
  .join("\n")}
    --*-file|--key-file) reply="" ;;
  esac
  case "$path $previous" in
${choicesOf(levels.filter(({ path }) => path !== ""))
  .map(([place, values]) => `    "${place}") reply="${values}" ;;`)
  .join("\n")}
  esac`
}

function knownPaths(levels: readonly Level[]): string {
  return pathsOf(levels)
    .map((path) => `"${path}"`)
    .join("|")
}

function bash(levels: readonly Level[]): string {
  return `# kez completion for bash, 3.2 and later: eval "$(kez completion bash)"
_kez() {
  local kez="\${COMP_WORDS[0]}" current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}"
  local path="" reply="" word i
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${path:+$path }\${COMP_WORDS[i]}"
    case "$word" in ${knownPaths(levels)}) path="$word" ;; esac
  done
${shellCases(levels)}
  COMPREPLY=()
  while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -W "$reply" -- "$current")
}
complete -o default -F _kez kez
`
}

function zsh(levels: readonly Level[]): string {
  return `#compdef kez
# kez completion for zsh: kez completion zsh > ~/.zfunc/_kez
_kez() {
  local kez="\${words[1]}" current="\${words[CURRENT]}" previous="\${words[CURRENT-1]}"
  local path="" reply="" word i
  for ((i = 2; i < CURRENT; i++)); do
    word="\${path:+$path }\${words[i]}"
    case "$word" in ${knownPaths(levels)}) path="$word" ;; esac
  done
${shellCases(levels)}
  compadd -- \${=reply}
  [[ -n "$reply" ]] || _files
}
if [[ "\${funcstack[1]}" == _kez ]]; then _kez "$@"; else compdef _kez kez; fi
`
}

function fish(levels: readonly Level[]): string {
  const cases = levels.map((level) => {
    const names = level.argument === "identity" ? "\n      $kez __complete identities 2>/dev/null" : ""
    return `    case "${level.path}"${names}\n      string split ' ' -- "${wordsOf(level)}"`
  })
  return `# kez completion for fish: kez completion fish > ~/.config/fish/completions/kez.fish
function __kez_complete
  set -l tokens (commandline -opc)
  set -l kez $tokens[1]
  set -l path
  for word in $tokens[2..]
    switch (string join ' ' -- $path $word)
      case ${pathsOf(levels)
        .map((path) => `"${path}"`)
        .join(" ")}
        set -a path $word
    end
  end
  switch "$tokens[-1]"
${optionsWithNames.map(([option, what]) => `    case ${option}\n      $kez __complete ${what} 2>/dev/null\n      return`).join("\n")}
  end
  switch (string join ' ' -- $path $tokens[-1])
${choicesOf(levels)
  .map(
    ([place, values]) =>
      `    case "${place.includes(" ") ? place : `*${place}`}"\n      string split ' ' -- "${values}"\n      return`,
  )
  .join("\n")}
  end
  switch (string join ' ' -- $path)
${cases.join("\n")}
  end
end
complete -c kez -f -a '(__kez_complete)'
complete -c kez -n 'string match -qr -- "-file\\$" (commandline -opc)[-1]' -F
`
}

function powershell(levels: readonly Level[]): string {
  const rows = levels.map((level) => `    '${level.path}' = '${wordsOf(level)}'`)
  const names = levels.filter(({ argument }) => argument === "identity").map(({ path }) => `'${path}'`)
  return `# kez completion for PowerShell: kez completion powershell | Out-String | Invoke-Expression
Register-ArgumentCompleter -Native -CommandName kez -ScriptBlock {
  param($wordToComplete, $commandAst, $cursorPosition)
  $tree = @{
${rows.join("\n")}
  }
  $values = @{
${choicesOf(levels)
  .map(([place, values]) => `    '${place}' = '${values}'`)
  .join("\n")}
  }
  $words = @($commandAst.CommandElements | ForEach-Object { $_.ToString() })
  $kez = $words[0]
  $done = if ($wordToComplete) { @($words | Select-Object -Skip 1 | Select-Object -SkipLast 1) } else { @($words | Select-Object -Skip 1) }
  $path = ''
  foreach ($word in $done) {
    $longer = "$path $word".Trim()
    if ($tree.ContainsKey($longer)) { $path = $longer }
  }
  $found = $tree[$path] -split ' '
  if (@(${names.join(", ")}) -contains $path) { $found = @(& $kez __complete identities) + $found }
${optionsWithNames.map(([option, what]) => `  if ($done[-1] -eq '${option}') { $found = @(& $kez __complete ${what}) }`).join("\n")}
  $last = "$($done[-1])"
  foreach ($place in @($last, "$path $last".Trim())) {
    if ($values.ContainsKey($place)) { $found = $values[$place] -split ' ' }
  }
  $found | Where-Object { $_ -like "$wordToComplete*" } | ForEach-Object {
    [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)
  }
}
`
}
