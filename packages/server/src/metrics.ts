import { compareUtf8 } from "@cuenv/digest";
import type { MetricDefinition, MetricDefinitions } from "./metric-definitions.ts";

export type Labels = Readonly<Record<string, string>>;

/** What a gauge, or a counter that is not ours, has at the moment when it is read. */
export type Reading = readonly (readonly [labels: Labels, value: number])[];

/** Counters, histograms and gauges, as Prometheus' text format has them. */
export interface Metrics {
  /** Adds to a counter. */
  count(name: string, labels?: Labels, by?: number): void;
  /** Puts a value (in the unit of the metric's name) into a histogram. */
  observe(name: string, value: number, labels?: Labels): void;
  /** What `name` has is asked for whenever the text is. */
  read(name: string, reading: () => Reading): void;
  /** All of them, in a stable order (text format 0.0.4). */
  text(): string;
}

interface Histogram {
  /** One for each bucket, of values up to its bound and above the bound before; then those above all bounds. */
  readonly counts: number[];
  sum: number;
}

interface Metric {
  readonly definition: MetricDefinition;
  readonly series: Map<string, number>;
  readonly histograms: Map<string, Histogram>;
  reading: (() => Reading) | undefined;
}

/** What is not defined is not counted. */
export function createMetrics(definitions: MetricDefinitions): Metrics {
  const metrics = new Map<string, Metric>(
    Object.entries(definitions).map(([name, definition]) => [
      name,
      { definition, series: new Map(), histograms: new Map(), reading: undefined },
    ]),
  );
  const keyOf = rememberedLabelText();
  return {
    count(name, labels = {}, by = 1) {
      const series = metrics.get(name)?.series;
      const key = keyOf(labels);
      series?.set(key, (series.get(key) ?? 0) + by);
    },
    observe(name, value, labels = {}) {
      const metric = metrics.get(name);
      const buckets = metric?.definition.buckets ?? [];
      const key = keyOf(labels);
      const histogram = metric?.histograms.get(key) ?? {
        counts: Array.from({ length: buckets.length + 1 }, () => 0),
        sum: 0,
      };
      metric?.histograms.set(key, histogram);
      const found = buckets.findIndex((bound) => value <= bound);
      const bucket = found === -1 ? buckets.length : found;
      histogram.counts[bucket] = (histogram.counts[bucket] ?? 0) + 1;
      histogram.sum += value;
    },
    read(name, reading) {
      const metric = metrics.get(name);
      if (metric !== undefined) metric.reading = reading;
    },
    text: () => [...metrics].map(([name, metric]) => block(name, metric)).join(""),
  };
}

function block(name: string, { definition, series, histograms, reading }: Metric): string {
  const { type, help, buckets = [] } = definition;
  const read = reading?.().map(([labels, value]) => [labelText(labels), value] as const) ?? [];
  const lines = [...series, ...read]
    .toSorted(byName)
    .map(([labels, value]) => `${name}${labels} ${value}`);
  const distributions = [...histograms]
    .toSorted(byName)
    .flatMap(([labels, histogram]) => histogramLines(name, labels, histogram, buckets));
  const head = [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`];
  return `${[...head, ...lines, ...distributions].join("\n")}\n`;
}

/** Buckets are cumulative in the text. */
function histogramLines(
  name: string,
  labels: string,
  { counts, sum }: Histogram,
  buckets: readonly number[],
): string[] {
  let below = 0;
  const lines = counts.map((count, index) => {
    below += count;
    const bound = buckets[index] ?? "+Inf";
    const own = `le="${bound}"`;
    return `${name}_bucket${labels === "" ? `{${own}}` : `${labels.slice(0, -1)},${own}}`} ${below}`;
  });
  return [...lines, `${name}_sum${labels} ${sum}`, `${name}_count${labels} ${below}`];
}

/** Values are names of ours (routes, status codes); quotes are escaped all the same. */
function labelText(labels: Labels): string {
  const pairs = Object.entries(labels)
    .toSorted(byName)
    .map(([name, value]) => `${name}="${value.replaceAll(/["\\\n]/g, "_")}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

/** Every request has labels, and there are few: what was made of them once is not made again. */
function rememberedLabelText(): (labels: Labels) => string {
  const texts = new Map<string, string>();
  return (labels) => {
    const values = JSON.stringify(labels);
    let text = texts.get(values);
    if (text === undefined) texts.set(values, (text = labelText(labels)));
    return text;
  };
}

function byName([left]: readonly [string, unknown], [right]: readonly [string, unknown]): number {
  return compareUtf8(left, right);
}
