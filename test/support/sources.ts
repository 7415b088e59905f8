/** Reads the repository's own source files for the rule checks. */
import { globSync, readFileSync } from "node:fs"
import { join } from "node:path"

export const ROOT = join(import.meta.dirname, "../..")

export interface Source {
  /** Relative to the root, with forward slashes. */
  readonly path: string
  readonly text: string
}

const SHIPPED = ["packages/*/src/**/*.ts", "apps/*/src/**/*.ts"]
const TOOLS = ["scripts/**/*.ts", "bench/**/*.ts", "crosstest/**/*.ts", "test/support/**/*.ts"]
const TESTS = ["packages/*/test/**/*.ts", "apps/*/test/**/*.ts", "test/**/*.ts"]

/** Source files of packages and apps. */
export const shippedSources = (): readonly Source[] => readSources(SHIPPED)

/** Source files of packages, apps and tools, without tests. */
export const sources = (): readonly Source[] => readSources([...SHIPPED, ...TOOLS])

/** Every TypeScript file. */
export const allSources = (): readonly Source[] => readSources([...SHIPPED, ...TOOLS, ...TESTS])

export function readText(path: string): string {
  return readFileSync(join(ROOT, path), "utf8")
}

export function readJson(path: string): unknown {
  return JSON.parse(readText(path))
}

/** Paths of the package.json files of the root and of every workspace. */
export function manifests(): readonly string[] {
  return findPaths(["package.json", "packages/*/package.json", "apps/*/package.json"])
}

function readSources(patterns: readonly string[]): readonly Source[] {
  return findPaths(patterns).map((path) => ({ path, text: readText(path) }))
}

function findPaths(patterns: readonly string[]): readonly string[] {
  const found = globSync(patterns, { cwd: ROOT, exclude: (path) => path.includes("node_modules") })
  return [...new Set(found.map((path) => path.replaceAll("\\", "/")))].sort()
}

const NAME_OR_NUMBER = /[\w$)\]}]/
const WORD_BEFORE_REGEX = /\b(?:return|typeof|case|in|of|delete|void|throw|new|else|do|await|yield)$/
const OPAQUE = /\/\/[^\n]*|\/\*[\s\S]*?\*\/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'/y
const REGEX = /\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/\w*/y

/** The text with comments, strings, template text and regular expressions blanked; line numbers stay. */
export function codeOnly(text: string): string {
  let code = ""
  const blank = (part: string): void => {
    code += part.replaceAll(/[^\n]/g, " ")
  }
  // How many braces are open in each `${` that is open, innermost last.
  const templates: number[] = []
  let at = 0
  const skipTemplateText = (): void => {
    const start = at
    while (at < text.length && text[at] !== "`" && !text.startsWith("${", at)) at += text[at] === "\\" ? 2 : 1
    const isOpen = text.startsWith("${", at)
    at += isOpen ? 2 : 1
    if (isOpen) templates.push(0)
    blank(text.slice(start, at))
  }
  while (at < text.length) {
    const char = text.charAt(at)
    OPAQUE.lastIndex = at
    REGEX.lastIndex = at
    const opaque = OPAQUE.exec(text) ?? (char === "/" && !endsInValue(code) ? REGEX.exec(text) : null)
    const depth = templates.at(-1)
    if (opaque !== null) {
      blank(opaque[0])
      at += opaque[0].length
    } else if (char === "`") {
      blank(char)
      at += 1
      skipTemplateText()
    } else if (char === "}" && depth === 0) {
      templates.pop()
      blank(char)
      at += 1
      skipTemplateText()
    } else {
      if (depth !== undefined && char === "{") templates[templates.length - 1] = depth + 1
      if (depth !== undefined && char === "}") templates[templates.length - 1] = depth - 1
      code += char
      at += 1
    }
  }
  return code
}

/** After a value a slash divides; after anything else it opens a regular expression. */
function endsInValue(code: string): boolean {
  const before = code.trimEnd().slice(-12)
  return NAME_OR_NUMBER.test(before.slice(-1)) && !WORD_BEFORE_REGEX.test(before)
}

/** `path:line  text` for every match of a pattern in code, for messages that lead to the place. */
export function findInCode(source: Source, pattern: RegExp): readonly string[] {
  const lines = codeOnly(source.text).split("\n")
  return lines.flatMap((line, index) => (pattern.test(line) ? [`${source.path}:${index + 1}  ${line.trim()}`] : []))
}
