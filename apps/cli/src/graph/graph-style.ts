/** Colours of the picture and the page, light and dark. Every text on its ground has a contrast of 4.5 or more (WCAG 1.4.3). */
import type { Tone } from "./graph-badges.ts"

export interface Palette {
  readonly paper: string
  readonly card: string
  readonly edge: string
  readonly ink: string
  readonly soft: string
  readonly accent: string
  readonly accentTint: string
  readonly tones: Readonly<Record<Tone, string>>
  readonly tints: Readonly<Record<Tone, string>>
}

export const light: Palette = {
  paper: "#f7f6f3",
  card: "#ffffff",
  edge: "#d9d6cf",
  ink: "#1d1c1a",
  soft: "#66635d",
  accent: "#3447c9",
  accentTint: "#eef0fd",
  tones: { good: "#17703f", warn: "#8a5a00", bad: "#b42318", muted: "#66635d" },
  tints: { good: "#e0f3e7", warn: "#fbefd5", bad: "#fce5e2", muted: "#eeece7" },
}

export const dark: Palette = {
  paper: "#141518",
  card: "#1e2024",
  edge: "#3a3d44",
  ink: "#eceae6",
  soft: "#a5a29b",
  accent: "#a3b1ff",
  accentTint: "#262b45",
  tones: { good: "#5fd092", warn: "#e6b450", bad: "#ff8a80", muted: "#a5a29b" },
  tints: { good: "#1d3a2a", warn: "#3d3119", bad: "#472422", muted: "#2d3036" },
}

export const sansFonts = `system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif`
export const monoFonts = `ui-monospace,"SF Mono","Cascadia Mono","DejaVu Sans Mono",Menlo,Consolas,monospace`

const toneNames: readonly Tone[] = ["good", "warn", "bad", "muted"]

/** The rules of the picture. Paper is white in print, whatever the screen is. */
export function svgStyle(): string {
  return [
    `.kez text{font-family:${sansFonts}}.kez .mono{font-family:${monoFonts}}`,
    ".kez .strong{font-weight:600}.kez .link,.kez .icon{fill:none;stroke-linecap:round;stroke-linejoin:round}",
    ".kez .link{stroke-width:1.5}.kez .icon{stroke-width:1.8}.kez .far{stroke-dasharray:2 6}.kez .many .link{stroke-width:1;stroke-opacity:.55}",
    svgColours(light),
    `@media screen and (prefers-color-scheme:dark){${svgColours(dark)}}`,
  ].join("")
}

function svgColours(palette: Palette): string {
  const { paper, card, edge, ink, soft, accent, accentTint, tones, tints } = palette
  return [
    `.kez .paper{fill:${paper}}.kez .card{fill:${card};stroke:${edge}}.kez .ink{fill:${ink}}.kez .soft{fill:${soft}}`,
    `.kez .asked{stroke:${accent};stroke-width:2}.kez .accent{fill:${accent}}.kez .tag{fill:${accent}}.kez .on-tag{fill:${paper}}`,
    `.kez .identity{fill:${accentTint};stroke:${accent};stroke-width:2}.kez .device{stroke:${soft}}`,
    ...toneNames.map(
      (tone) =>
        `.kez .${tone}{fill:${tones[tone]}}.kez .tint-${tone}{fill:${tints[tone]}}.kez .icon-${tone},.kez .link-${tone}{stroke:${tones[tone]}}`,
    ),
  ].join("")
}
