/** Rounds as rows. A ratio is the median over the rounds' ratios. */
import { median, notMeasured, type Row } from "../measure.ts"
import type { Round } from "./round.ts"

export interface Counted {
  readonly sizeMib: number
  readonly rounds: readonly Round[]
}

const least = 0.4
const mostMb = 150
const setup = "sh scripts/setup-test-servers.sh builds it"

export function irohRows({ sizeMib, rounds }: Counted): readonly Row[] {
  const rate = (ms: (round: Round) => number): string => rateOf(sizeMib, median(rounds.map(ms)))
  const cpu = (ms: (round: Round) => number): string => `${(median(rounds.map(ms)) / 1000).toFixed(2)} s CPU`
  const ratios = (pick: (round: Round) => number): number => median(rounds.map(pick))
  const tcp = `${rate((round) => round.tcp.moveMs)}, ${cpu((round) => round.tcp.cpuMs)}`
  const moved = ratios(({ tcp, iroh }) => tcp.moveMs / iroh.moveMs)
  const hashed = ratios(({ tcp, iroh }) => tcp.moveMs / (iroh.hashMs + iroh.moveMs))
  const first = ratios(({ tcp, iroh }) => tcp.firstMs / iroh.firstMs)
  return [
    {
      what: `files: ${sizeMib} MiB from disk to disk by kez-iroh, encrypted and verified, against a plain TCP copy between two Node processes`,
      product: `${rate((round) => round.iroh.moveMs)}, ${cpu((round) => round.iroh.cpuMs)} with hashing`,
      limit: tcp,
      ratio: moved,
      target: `>= ${least}`,
      holds: moved >= least,
    },
    {
      what: "files: the same with a file that was never hashed, which is done once before it is offered",
      product: `${rate(({ iroh }) => iroh.hashMs + iroh.moveMs)}, hashing at ${rate(({ iroh }) => iroh.hashMs)}`,
      limit: tcp,
      ratio: hashed,
      target: `>= ${least}`,
      holds: hashed >= least,
    },
    {
      what: "files: from the request to the first byte on the receiver's disk, against the TCP copy",
      product: milliseconds(median(rounds.map(({ iroh }) => iroh.firstMs))),
      limit: milliseconds(median(rounds.map(({ tcp }) => tcp.firstMs))),
      ratio: first,
      target: "for information",
      holds: true,
    },
  ]
}

/** croc hashes the file, meets at its relay, copies and hashes again; kez-iroh hashes, meets directly and verifies as it goes. Both from start to end. */
export function crocRows({ sizeMib, rounds }: Counted): readonly Row[] {
  const what = `files: ${sizeMib} MiB from the start of both programs to their end, hashing included, against croc with its own relay`
  const both = rounds.flatMap(({ iroh, croc }) => (croc === undefined ? [] : [{ iroh, croc }]))
  const hashes = rounds.flatMap(({ iroh, b3sumMs }) => (b3sumMs === undefined ? [] : [{ iroh, b3sumMs }]))
  const rows: Row[] = []
  if (both.length === 0) rows.push(notMeasured(what, `croc is missing (${setup})`))
  else {
    const whole = median(both.map(({ iroh, croc }) => croc.wholeMs / iroh.wholeMs))
    const first = median(both.map(({ iroh, croc }) => croc.wholeFirstMs / iroh.wholeFirstMs))
    rows.push(
      {
        what,
        product: rateOf(sizeMib, median(both.map(({ iroh }) => iroh.wholeMs))),
        limit: rateOf(sizeMib, median(both.map(({ croc }) => croc.wholeMs))),
        ratio: whole,
        target: "> 1",
        holds: whole > 1,
      },
      {
        what: "files: from the start of both programs to the first byte on the receiver's disk, hashing included, against croc",
        product: milliseconds(median(both.map(({ iroh }) => iroh.wholeFirstMs))),
        limit: milliseconds(median(both.map(({ croc }) => croc.wholeFirstMs))),
        ratio: first,
        target: "for information",
        holds: true,
      },
    )
  }
  const beside =
    "files: moved, encrypted and verified, beside b3sum of the same file on one processor, which moves nothing"
  if (hashes.length === 0) return [...rows, notMeasured(beside, `b3sum is missing (${setup})`)]
  return [
    ...rows,
    {
      what: beside,
      product: rateOf(sizeMib, median(hashes.map(({ iroh }) => iroh.moveMs))),
      limit: rateOf(sizeMib, median(hashes.map(({ b3sumMs }) => b3sumMs))),
      ratio: median(hashes.map(({ iroh, b3sumMs }) => b3sumMs / iroh.moveMs)),
      target: "for information",
      holds: true,
    },
  ]
}

/** The most of all rounds, of either side. */
export function memoryRow(sizeMib: number, rounds: readonly Pick<Round, "iroh">[]): Row {
  const what = `files: most memory of sender and receiver for ${sizeMib} MiB, hashing included`
  const sender = Math.max(...rounds.map(({ iroh }) => iroh.peaksMb.sender))
  const receiver = Math.max(...rounds.map(({ iroh }) => iroh.peaksMb.receiver))
  if (Number.isNaN(sender + receiver)) return notMeasured(what, "this system has no /proc")
  return {
    what,
    product: `${sender.toFixed(0)} and ${receiver.toFixed(0)} MB`,
    limit: `${mostMb} MB`,
    ratio: mostMb / Math.max(sender, receiver),
    target: "> 1",
    holds: Math.max(sender, receiver) < mostMb,
  }
}

function rateOf(sizeMib: number, ms: number): string {
  return `${Math.round((sizeMib * 1000) / ms).toLocaleString("en")} MiB/s`
}

function milliseconds(ms: number): string {
  return `${ms.toFixed(ms < 100 ? 1 : 0)} ms`
}
