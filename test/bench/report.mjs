import process from "node:process";
import { styleText } from "node:util";
import { median } from "./measure.mjs";

/**
 * One row per peer: its median, the ratio of ours to it (median of the ratios of the rounds), and what it should be.
 * @param {Map<string, number[]>} times peer → one figure per round
 * @param {Record<string, {target: number, gate: number}>} targets by peer
 */
export function compare(project, scenario, times, targets, unit) {
  const ours = times.get("cuenv");
  return [...times].map(([peer, figures]) => {
    const ratio =
      ours && peer !== "cuenv"
        ? median(figures.map((time, round) => ours[round] / time))
        : undefined;
    const { target, gate } = (ratio !== undefined && targets[peer]) || {};
    return {
      project,
      scenario,
      peer,
      unit,
      median: median(figures),
      min: Math.min(...figures),
      max: Math.max(...figures),
      ratio,
      target,
      gate,
    };
  });
}

/** Prints the table, or with `json` one document on stdout. @returns how many gates were missed */
export function printReport(rows, { json, gates }) {
  const judged = rows.map((row) => ({ ...row, verdict: verdict(row) }));
  if (json) {
    const machine = { node: process.version, platform: process.platform, arch: process.arch };
    process.stdout.write(
      `${JSON.stringify({ version: 1, machine, rows: judged }, undefined, 2)}\n`,
    );
  } else printTable(judged);
  const failed = judged.filter((row) => row.verdict === "FAIL").length;
  if (failed > 0) {
    const effect = gates ? "this run fails" : "not judged in a quick run";
    process.stderr.write(`\n${failed} ratios are above their gate; ${effect}\n`);
  }
  return failed;
}

function verdict({ ratio, target, gate }) {
  if (target === undefined) return "";
  if (ratio <= target) return "ok";
  return ratio <= gate ? "above target" : "FAIL";
}

function printTable(rows) {
  let heading = "";
  for (const row of rows) {
    const next = `${row.project}: ${row.scenario}`;
    if (next !== heading)
      process.stdout.write(`\n${styleText("bold", next, { stream: process.stdout })}\n`);
    heading = next;
    const range = `(${figure(row.min)}–${figure(row.max)})`;
    const line = [
      `  ${row.peer.padEnd(16)}${figure(row.median).padStart(8)} ${row.unit.padEnd(4)}${range.padEnd(18)}`,
      row.ratio === undefined ? "" : `cuenv takes ${row.ratio.toFixed(2)}×`.padEnd(20),
      row.target === undefined ? "" : `target ≤ ${row.target}  `,
      paint(row.verdict),
    ];
    process.stdout.write(`${line.join("").trimEnd()}\n`);
  }
}

function paint(text) {
  const style = { ok: "green", FAIL: "red", "above target": "yellow" }[text];
  return style ? styleText(style, text, { stream: process.stdout }) : text;
}

function figure(number) {
  return number >= 100 ? number.toFixed(0) : number.toFixed(1);
}
