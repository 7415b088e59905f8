/** `npm run faults -- --chat`: the herd, and its figures. */
import { availableParallelism, loadavg } from "node:os"
import { complaintsOf, type HerdReport, type HerdStep, herd } from "./herd.ts"

/** Resolves to the exit code. */
export async function runHerd(clients: number): Promise<number> {
  if (!Number.isInteger(clients) || clients < 8) {
    console.error("kez: Cannot run the herd: expected 8 clients or more")
    return 2
  }
  const began = performance.now()
  const report = await herd({ clients, perSecond: 40, onStep: (step) => console.error(`kez: ${lineOf(step)}`) })
  const took = Math.round((performance.now() - began) / 1_000)
  console.log(
    `\n${availableParallelism()} cores, Node ${process.version}   ${took} s, load ${loadavg()[0]?.toFixed(1)}`,
  )
  console.log(linesOf(report).join("\n"))
  const complaints = complaintsOf(report)
  for (const complaint of complaints) console.error(`kez: ${complaint}`)
  console.log(
    complaints.length === 0 ? "nobody was logged out, nothing was lost or shown twice" : "not as it should be",
  )
  return complaints.length === 0 ? 0 : 1
}

function lineOf({ name, backMs }: HerdStep): string {
  return `${name}: all back ${(backMs / 1_000).toFixed(1)} s after the servers`
}

function linesOf({ clients, connectMs, steps, count, engines }: HerdReport): readonly string[] {
  const { acknowledged, shown, lost, twice, disordered, rewound, online } = count
  return [
    `clients              ${clients}   first connected in ${(connectMs / 1_000).toFixed(1)} s   connected at the end ${online}`,
    ...steps.map(lineOf),
    `messages             acknowledged ${acknowledged}   shown ${shown}   lost ${lost}   twice ${twice}   out of order ${disordered}   rewound ${rewound}`,
    `engines              said ${engines.said}   lost ${engines.lost}   twice ${engines.twice}   out of order ${engines.disordered}   alarms ${engines.alarms}   away ${engines.away}`,
  ]
}
