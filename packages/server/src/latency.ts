/** How long answers take, by route: a histogram whose counting costs next to nothing, since it is done for each of many reads. */

const bounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10] as const

export class Latency {
  /** One for each bound, and one for what is above all of them; not cumulative. */
  readonly #counts = new Float64Array(bounds.length + 1)
  #sum = 0

  observe(seconds: number): void {
    let index = 0
    while (index < bounds.length && seconds > (bounds[index] ?? 0)) index++
    this.#counts[index] = (this.#counts[index] ?? 0) + 1
    this.#sum += seconds
  }

  /** Lines of the Prometheus text format. `label` is `name="value"`. */
  lines(name: string, label: string): readonly string[] {
    let total = 0
    const buckets = [...bounds, "+Inf"].map((bound, index) => {
      total += this.#counts[index] ?? 0
      return `${name}_bucket{${label},le="${bound}"} ${total}`
    })
    return [...buckets, `${name}_sum{${label}} ${this.#sum}`, `${name}_count{${label}} ${total}`]
  }
}
