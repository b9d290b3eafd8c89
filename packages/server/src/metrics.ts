import { compareUtf8 } from "@cuenv/digest";

/** Counters and what they count, as Prometheus' text format has them. */
export interface Metrics {
  /** Adds to a counter, made when it is not there. */
  count(name: string, labels?: Readonly<Record<string, string>>, by?: number): void;
  /** All of them, in a stable order (text format 0.0.4). */
  text(): string;
}

interface Counter {
  readonly help: string;
  readonly series: Map<string, number>;
}

/** `help`: every counter that may be counted, and what it means. */
export function createMetrics(help: Readonly<Record<string, string>>): Metrics {
  const counters = new Map<string, Counter>(
    Object.entries(help).map(([name, text]) => [name, { help: text, series: new Map() }]),
  );
  return {
    count(name, labels = {}, by = 1) {
      const series = counters.get(name)?.series;
      const key = labelText(labels);
      series?.set(key, (series.get(key) ?? 0) + by);
    },
    text() {
      const blocks = [...counters].map(([name, { help: meaning, series }]) => {
        const lines = [...series]
          .toSorted(byName)
          .map(([labels, value]) => `${name}${labels} ${value}`);
        return [`# HELP ${name} ${meaning}`, `# TYPE ${name} counter`, ...lines].join("\n");
      });
      return `${blocks.join("\n")}\n`;
    },
  };
}

/** Values are names of ours (routes, status codes); quotes are escaped all the same. */
function labelText(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels)
    .toSorted(byName)
    .map(([name, value]) => `${name}="${value.replaceAll(/["\\\n]/g, "_")}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function byName([left]: readonly [string, unknown], [right]: readonly [string, unknown]): number {
  return compareUtf8(left, right);
}
